/* A wall clock that is off by as many seconds as the file named by BENCH_CLOCK says, in its first eight bytes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static int (*kernel)(clockid_t, struct timespec *);
static const volatile long *off;

/* Before the program runs, and forbids itself to open files. */
__attribute__((constructor)) static void begin(void) {
  const char *name = getenv("BENCH_CLOCK");
  int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *page = mmap(NULL, sizeof *off, PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (page != MAP_FAILED) off = page;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  if (!kernel) *(void **)&kernel = dlsym(RTLD_NEXT, "clock_gettime");
  int failed = kernel(clock, now);
  if (!failed && off && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += *off;
  return failed;
}

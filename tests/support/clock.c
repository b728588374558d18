/* A wall clock that jumps under a program: preloaded, it adds to the time of day the seconds that stand at the beginning of the
 * file AIRCLASS_CLOCK, as eight bytes. The monotonic clock goes on as it was. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

typedef int (*gettime)(clockid_t, struct timespec *);
static const volatile int64_t *ahead;
static gettime real;

/* Before the program's own sandbox, which would not let it. */
__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("AIRCLASS_CLOCK");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  void *at = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, file, 0);
  if (file >= 0) close(file);
  if (at == MAP_FAILED) abort();
  ahead = at;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  if (!real) real = (gettime)dlsym(RTLD_NEXT, "clock_gettime");
  int failed = real(clock, now);
  if (!failed && ahead && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += *ahead;
  return failed;
}

/**
 * What this page has really downloaded: bytes on the wire as the browser counts them, so what came from its cache costs
 * nothing, and what was given up half way counts as far as it came.
 */
export class Meter {
  private total = 0;
  private start = 0;
  private readonly observer: PerformanceObserver | undefined;

  constructor(changed: () => void) {
    // Safari before 16.4 counts nothing: then no number is shown rather than a wrong one.
    if (typeof PerformanceObserver === 'undefined' || typeof PerformanceResourceTiming === 'undefined') return;
    if (!('transferSize' in PerformanceResourceTiming.prototype)) return;
    this.observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) this.total += (entry as PerformanceResourceTiming).transferSize || 0;
      changed();
    });
    try {
      this.observer.observe({ type: 'resource', buffered: true });
    } catch {
      this.observer.observe({ entryTypes: ['resource'] });
    }
  }

  /** Counts from here: a lesson begins. */
  restart(): void {
    this.start = this.total;
  }

  /** Bytes since the last restart; null where the browser does not say. */
  get bytes(): number | null {
    return this.observer ? this.total - this.start : null;
  }
}

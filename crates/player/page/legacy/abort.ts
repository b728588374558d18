/**
 * `AbortController` where there is none (before Chrome 66). A fetch there cannot be broken off: who waits for it is told in time all the
 * same, and what still comes is thrown away.
 */

interface Signal {
  aborted: boolean;
  stop: Promise<never>;
}

if (typeof AbortController === 'undefined') {
  class Controller {
    readonly signal: Signal;
    private reject!: (reason: Error) => void;

    constructor() {
      const stop = new Promise<never>((_, reject) => (this.reject = reject));
      stop.catch(() => undefined);
      this.signal = { aborted: false, stop };
    }

    abort(): void {
      if (this.signal.aborted) return;
      this.signal.aborted = true;
      const reason = new Error('aborted');
      reason.name = 'AbortError';
      this.reject(reason);
    }
  }
  const plain = window.fetch as (input: RequestInfo, init?: RequestInit) => Promise<Response>;
  const stoppable = (input: RequestInfo, init: RequestInit = {}): Promise<Response> => {
    const { signal, ...rest } = init;
    const answer = plain.call(window, input, rest);
    return signal ? Promise.race([answer, (signal as unknown as Signal).stop]) : answer;
  };
  Object.assign(window, { AbortController: Controller, fetch: stoppable });
}

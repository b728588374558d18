/**
 * `AbortController` where there is none (before Chrome 66). A fetch there cannot be broken off before it is answered: who waits for it is
 * told in time all the same. A body that stands still is, or six of them would hold all the connections that a browser has for us.
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
    const asked = plain.call(window, input, rest);
    if (!signal) return asked;
    const { stop } = signal as unknown as Signal;
    const answered = asked.then((answer) => {
      const reader = answer.body?.getReader?.();
      if (reader) stop.catch(() => reader.cancel());
      for (const name of ['arrayBuffer', 'text'] as const) {
        const read = (from: Response): Promise<unknown> => (Response.prototype[name] as () => Promise<unknown>).call(from);
        const whole = (): Promise<unknown> => (reader ? blobOf(reader).then((blob) => read(new Response(blob))) : read(answer));
        Object.defineProperty(answer, name, { value: () => Promise.race([whole(), stop]) });
      }
      return answer;
    });
    return Promise.race([answered, stop]);
  };
  const blobOf = (reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>, parts: Uint8Array<ArrayBuffer>[] = []): Promise<Blob> =>
    reader.read().then(({ done, value }) => (done ? new Blob(parts) : blobOf(reader, parts.concat(value))));
  Object.assign(window, { AbortController: Controller, fetch: stoppable });
}

export {};

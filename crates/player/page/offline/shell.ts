/** Has the page itself kept, with the first lesson that is. */

interface Policies {
  createPolicy(name: string, rules: { createScriptURL(): string }): { createScriptURL(url: string): string };
}

const WORKER = '/worker.js';

let asked = false;

/** Once in the page's life. Where there is no HTTPS there is no such thing: then the page must stay open, or the lesson be kept as a file. */
export function keepPage(): void {
  if (asked) return;
  asked = true;
  const { trustedTypes } = window as unknown as { trustedTypes?: Policies };
  try {
    // The only script that may be named: the page's policy lets nobody name another.
    const policy = trustedTypes?.createPolicy('airclass-worker', { createScriptURL: () => WORKER });
    navigator.serviceWorker?.register(policy ? policy.createScriptURL(WORKER) : WORKER).catch(() => undefined);
    navigator.storage?.persist?.().catch(() => undefined);
  } catch {
    // Without a worker the page must stay open.
  }
}

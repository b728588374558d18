/**
 * Fetches the page as one script where the page's module was not understood. Browsers of 2017 and 2018 (Chrome 61 and 62, Edge 16 to 18,
 * Safari 10.1 to 11.0, Firefox 60 to 66) know modules, so they pass over `nomodule`, and no import on demand: to them the page's
 * module is a mistake in writing, of which nothing runs. It stands behind that, so it runs when all else has had its turn.
 */

const old = document.querySelector<HTMLScriptElement>('script[nomodule]');

// Browsers with trusted types know all of it, and let no script be named here.
if (!('airclass' in window) && !('trustedTypes' in window) && old) {
  const script = document.createElement('script');
  script.src = old.src;
  document.head.appendChild(script);
}

export {};

/**
 * Keeps the page itself on the device, for when there is no network: the lessons that were kept are in IndexedDB. Registered when the
 * first lesson is kept, and not before: who keeps nothing has nothing kept.
 */

/** What browsers give a service worker, as far as it is used here. */
interface Lifetime extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Asking extends Event {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}

/** The page's files, put in by the build; the first is the page. */
declare const __SHELL__: string[];
/** The page as one script. */
declare const __OLD__: string;
/** Tells one build from another. */
declare const __SHELL_NAME__: string;

/**
 * Without its script the page is a page that says "opening". Younger than import on demand in every browser (Chrome 73, Firefox 67, Safari
 * 13), so who knows it needs no other script; who does not knows modules or not.
 */
const files = 'matchAll' in String.prototype ? __SHELL__ : [...__SHELL__, __OLD__];

self.addEventListener('install', (event) => {
  (event as Lifetime).waitUntil(caches.open(__SHELL_NAME__).then((cache) => cache.addAll(files)));
});

self.addEventListener('activate', (event) => {
  const clean = caches.keys().then((names) => Promise.all(names.filter((name) => name !== __SHELL_NAME__).map((name) => caches.delete(name))));
  (event as Lifetime).waitUntil(clean);
});

self.addEventListener('fetch', (event) => {
  const { request } = event as Asking;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== location.origin) return;
  if (pathname === '/') (event as Asking).respondWith(page());
  // Files never change under their names.
  else if (pathname.startsWith('/assets/')) (event as Asking).respondWith(kept(pathname).then((found) => found ?? ask(pathname)));
});

/** How long the network may take for the page where it is here already, in milliseconds. */
const PATIENCE_MS = 5_000;

/** The page is the network's while there is one that gives it: a node that fails, or says nothing, is as none. */
async function page(): Promise<Response> {
  const found = await kept('/');
  if (!found) return ask('/');
  const asked = ask('/').then(
    (answer) => (answer.status >= 500 || answer.status === 429 ? found : answer),
    () => found,
  );
  const late = new Promise<Response>((resolve) => setTimeout(() => resolve(found), PATIENCE_MS));
  return Promise.race([asked, late]);
}

function ask(pathname: string): Promise<Response> {
  return fetch(pathname, { credentials: 'omit' });
}

/** Of the device; storage that fails has nothing. */
function kept(pathname: string): Promise<Response | undefined> {
  return caches.match(pathname).catch(() => undefined);
}

export {};

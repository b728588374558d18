/** The page: chooses the language, then follows the address from the list to a lesson and back. */

import './legacy/polyfills';
import { adviceBox } from './advice';
import { ClassDoor } from './class-door';
import type { Context } from './context';
import { h, replace } from './dom';
import { Eyes } from './eyes';
import { chooseLanguage } from './language';
import { List } from './list';
import { openKept } from './kept';
import { Meter } from './meter';
import { fetchPart, pageAnew, wantsPageAnew } from './part';
import { Positions } from './positions';
import { Reporting } from './reporting';
import { keepPreferences, readPreferences } from './preferences';
import { parseRoute } from './route';
import { State, type View } from './state';
import { deviceStore } from './store';
import { OLD_AFTER_MS, Today } from './today';
import { openLesson } from './watch';
import { wordsIn } from './words';

declare global {
  interface Window {
    /** What the page is doing; see `state.ts`. */
    readonly airclass: View;
  }
}

const state = new State();
Object.defineProperty(window, 'airclass', { value: state.view() });

const store = deviceStore(() => window.localStorage);
const language = readPreferences(store).language ?? chooseLanguage(navigator.languages ?? [navigator.language]);
const words = wordsIn(language);
const meter = new Meter(() => state.now.lesson !== null && state.set({ bytes: meter.bytes }));
const reporting = new Reporting({ language, state, store });
const context: Context = { language, words, state, store, positions: new Positions(store), meter, reporting };

document.documentElement.lang = words.tag;
document.title = words.site;

const main = h('main', { id: 'main' });
const ofClass = new ClassDoor(context);
const eyes = new Eyes(context, () => ofClass.draw());
const today = new Today(context);
const list = new List(context, [today.root, eyes.root, ofClass.root]);
let close: (() => void) | undefined;
let first = true;

const app = document.getElementById('app')!;
replace(
  app,
  h('a', { class: 'skip', href: '#main', onclick: skip }, words.skipToContent),
  h(
    'header',
    { class: 'top' },
    h('a', { class: 'brand', href: '#/' }, h('span', { class: 'mark', 'aria-hidden': true }), words.site),
    h('button', { type: 'button', class: 'button small quiet', 'data-control': 'language', lang: language === 'zh' ? 'en' : 'zh-CN', onclick: switchLanguage }, words.otherLanguage),
  ),
  main,
  h(
    'footer',
    { class: 'bottom' },
    h('p', {}, words.privacy),
    h('p', {}, h('a', { href: '#/kept' }, words.keptTitle), h('a', { href: '#/resources' }, words.resourcesTitle), reporting.button()),
  ),
);
window.addEventListener('hashchange', follow);
document.addEventListener('visibilitychange', () => document.hidden || today.look());
setInterval(() => document.hidden || !today.root.isConnected || today.look(), OLD_AFTER_MS);
follow();

function follow(): void {
  const route = parseRoute(location.hash);
  if (close) {
    close();
    close = undefined;
  } else if (!first) list.leave();
  if (route.view === 'lesson') {
    main.textContent = '';
    window.scrollTo(0, 0);
    close = openLesson(context, route.id, main, list.titleOf(route.id));
  } else if (route.view === 'kept') {
    main.textContent = '';
    close = openKept(context, main);
  } else if (route.view === 'resources') {
    close = openResources();
  } else {
    replace(main, list.root);
    list.open(route.filter);
    today.look();
    // At the very first the browser's own order of focus stands.
    if (!first) list.focus();
  }
  document.body.dataset.view = route.view;
  first = false;
}

/** What is behind it is fetched by those who open it; the result closes it. */
function openResources(): () => void {
  let gone = false;
  let leave: (() => void) | undefined;
  main.textContent = '';
  const stop = fetchPart(
    () => import('./resources'),
    (part) => (leave = part.openResources(context, main)),
    (attempt) => {
      const anew = (): void => void pageAnew(() => !gone && !leave);
      if (attempt === 0) replace(main, adviceBox(words.partTrouble, words.retry, anew, 'part', reporting.button()));
      if (wantsPageAnew(attempt)) anew();
    },
  );
  return () => {
    gone = true;
    stop();
    leave?.();
  };
}

/** The address is ours, so the skip link moves the focus without it. */
function skip(event: Event): void {
  event.preventDefault();
  main.querySelector<HTMLElement>('h1')?.focus();
}

function switchLanguage(): void {
  keepPreferences(store, { language: language === 'zh' ? 'en' : 'zh' });
  location.reload();
}

/** The operators' page of one node: it reads two documents of the node that it comes from, and nothing else from anywhere. */

import { h, say, set } from './dom';
import { clock } from './format';
import { heard } from './heard';
import { History } from './history';
import { readSamples, readStatus, type Status } from './source';
import { alarms } from './sections/alarms';
import { bandwidth } from './sections/bandwidth';
import { bells } from './sections/bells';
import { cache } from './sections/cache';
import { lessons } from './sections/lessons';
import { machine } from './sections/machine';
import { people } from './sections/people';
import { totals } from './sections/totals';
import { upstreams } from './sections/upstreams';
import type { Section, View } from './view';
import { choose, WORDS, type Language } from './words';

const SECTIONS = [bandwidth, bells, lessons, cache, people, upstreams, machine, totals];
/** Between two looks, in milliseconds. */
const EVERY_MS = 5_000;

const history = new History();
let status: Status | undefined;
/** When it came, or until one has come when the page was opened, by this device's clock that does not jump. */
let came = performance.now();
let language: Language = choose(location.hash, navigator.languages);
let page = build();

/** The page in the language that is chosen. */
function build() {
  const words = WORDS[language];
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  const time = h('time', { class: 'clock' });
  const name = h('span', { class: 'identity' });
  const ready = h('span', { class: 'ready-state' });
  const readyDot = h('span', { class: 'dot', 'aria-hidden': 'true' });
  const live = h('p', { class: 'live' });
  const up = h('span', { class: 'note up' });
  const other = h('button', { type: 'button', class: 'language', 'aria-label': words.otherLabel, lang: language === 'zh' ? 'en' : 'zh-CN', onclick: turn }, words.other);
  const header = h(
    'header',
    {},
    h('div', { class: 'who' }, h('h1', {}, `${words.product} · ${words.title}`), h('p', {}, name, up)),
    h('p', { class: 'state' }, readyDot, ready),
    h('div', { class: 'right' }, time, live),
    other,
  );
  const warning = alarms(words, language);
  // A screen reader is told once, not each second.
  const unheard = h('p', { class: 'unheard', role: 'status' });
  const cards = SECTIONS.map((make) => make(words, language));
  const sections: Section[] = [warning, ...cards];
  const footer = h('footer', {}, `${words.data}: `, ...['/status.json', '/samples.json', '/metrics', '/readyz'].flatMap((path) => [h('a', { href: path }, path), ' ']));
  const app = document.getElementById('app') as HTMLElement;
  app.replaceChildren(header, h('main', {}, unheard, warning.element, h('div', { class: 'cards' }, ...cards.map((card) => card.element))), footer);

  const tick = () => {
    const age = performance.now() - came;
    const state = heard(status !== undefined, age);
    set(document.body, 'data-heard', state);
    say(live, state === 'lost' ? words.lost(Math.round(age / 1000)) : words[state]);
    say(unheard, state === 'lost' ? (status ? words.before : words.unheard) : '');
    if (!status) return;
    const now = Date.parse(status.at) + age;
    say(time, clock(now, status.zone_s, true));
    for (const section of sections) section.tick?.({ status, history, now });
  };
  const update = () => {
    if (!status) return;
    const { node } = status;
    document.title = `${status.alarms.length > 0 ? `(${status.alarms.length}) ` : ''}${node.site || node.name} · ${words.title}`;
    say(name, [node.owner, node.province, node.carrier, node.site].filter(Boolean).join(' · ') || node.name);
    const hours = Math.floor(node.up_s / 3600);
    const span = hours > 0 ? words.days(Math.floor(hours / 24), hours % 24) : words.minutes(Math.floor(node.up_s / 60));
    say(up, `${words.upFor(span)} · ${node.version}`);
    say(ready, status.ready ? words.ready : words.notReady);
    set(readyDot, 'class', `dot ${status.ready ? 'good' : 'bad'}`);
    const view: View = { status, history, now: Date.parse(status.at) + performance.now() - came };
    for (const section of sections) section.update(view);
    set(document.body, 'data-at', status.at);
    tick();
  };
  tick();
  return { tick, update, redraw: () => sections.forEach((section) => section.redraw?.()) };
}

function turn() {
  language = language === 'zh' ? 'en' : 'zh';
  // In the address, so that a wall screen keeps it and nothing is stored.
  window.history.replaceState(null, '', `#${language}`);
  page = build();
  page.update();
}

async function look() {
  try {
    const said = await readStatus();
    if (!history.append(Date.parse(said.at), said.counts, 4 * EVERY_MS)) history.restart(await readSamples());
    status = said;
    came = performance.now();
    page.update();
  } catch (error) {
    // The page says how old its figures are; the next look is soon.
    console.info(error);
  }
  setTimeout(look, EVERY_MS);
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => page.redraw());
setInterval(() => page.tick(), 1000);
void look();

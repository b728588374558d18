/** 课本和资料: what can be taken home, by grade and subject, with its size, its source and its terms; and the provinces' own platforms. */

import { adviceBox } from './advice';
import type { Context } from './context';
import { h, icon, replace, setText } from './dom';
import { bytes, inLine } from './format';
import { gradeName } from './grouping';
import { readJson, turnOf } from './network';
import { fetchPart } from './part';
import { groupsDown, parsePlatforms, parseResources, platformsDown, type Platform, type Resource } from './resource-list';
import { timeNow } from './time';
import { gradeLabel, stageName, subjectLabel, volumeLabel } from './words';
import { resourceWordsIn } from './words-resources';

/** Times that a file's turn is waited for; at some fifteen seconds each a quarter of an hour, and then it is for a person to say. */
const MAX_TURNS = 60;

/** Opens the view in `place`; the result closes it. */
export function openResources(context: Context, place: HTMLElement): () => void {
  const { words, language } = context;
  const own = resourceWordsIn(language);
  let gone = false;
  const heading = h('h1', { tabindex: -1 }, own.title);
  const said = h('p', { class: 'quiet', role: 'status' }, own.loading);
  const body = h('div');
  const platforms = h('div');
  replace(
    place,
    h('p', { class: 'crumbs' }, h('a', { href: '#/', class: 'back' }, icon('back'), words.backToList)),
    h('div', { class: 'under' }, heading, h('p', {}, own.why), said, body, platforms),
  );
  document.title = `${own.title} · ${words.site}`;
  heading.focus({ preventScroll: true });
  let stop = fill();
  void fillPlatforms();
  return () => {
    gone = true;
    stop();
  };

  /** Asks for the list until it comes; the result ends the asking. */
  function fill(): () => void {
    const again = (): void => {
      stop();
      stop = fill();
    };
    return fetchPart(read, draw, (attempt) => {
      setText(said, '');
      if (attempt === 0) replace(body, adviceBox(words.partTrouble, words.retry, again, 'resources'));
    });
  }

  /** The list; nothing where none is published. */
  async function read(): Promise<Resource[]> {
    const answer = await readJson('/resources/index.json');
    const resources = answer.ok ? parseResources(answer.json) : answer.trouble === 'missing' ? [] : undefined;
    if (!resources) throw new Error('it did not come');
    return resources;
  }

  function draw(resources: readonly Resource[]): void {
    setText(said, resources.length === 0 ? own.none : '');
    const groups = new Map<string, Resource[]>();
    for (const resource of resources) {
      const grade = gradeLabel(gradeName(resource.grade), language) || stageName(resource.stage, language);
      groups.set(grade, [...(groups.get(grade) ?? []), resource]);
    }
    replace(body, ...[...groups].map(([grade, group]) => h('section', {}, h('h2', {}, grade), h('ul', { class: 'resources' }, ...group.map(row)))));
  }

  /** The list of files stands without them. */
  async function fillPlatforms(): Promise<void> {
    const listed = await readJson('/resources/platforms.json');
    const all = listed.ok ? parsePlatforms(listed.json) : [];
    if (gone || all.length === 0) return;
    const ask = async (path: string, wanted: boolean): Promise<unknown> => {
      const answer = wanted ? await readJson(path) : undefined;
      return answer?.ok ? answer.json : undefined;
    };
    // Those that edges stand before, and those that somebody looks at from time to time.
    const [health, standing] = await Promise.all([
      ask('/resources/health.json', all.some(({ group }) => group)), ask('/resources/standing.json', all.some(({ group }) => !group)),
    ]);
    if (gone) return;
    const [groups, silent] = [groupsDown(health), platformsDown(standing, timeNow())];
    const link = ({ zh, en, url }: Platform): HTMLElement => h('a', { href: url, rel: 'noreferrer' }, language === 'en' && en ? en : zh);
    const item = (platform: Platform): HTMLElement => {
      const isDown = platform.group ? groups.has(platform.group) : silent.has(platform.id);
      const other = isDown ? all.find(({ id }) => id === platform.instead) : undefined;
      return h('li', { 'data-platform': platform.id, 'data-standing': isDown ? 'down' : 'up' }, link(platform), isDown && h('b', {}, ` ${own.down} `), other && h('span', {}, own.instead, link(other)));
    };
    replace(platforms, h('section', {}, h('h2', {}, own.platforms), h('ul', { class: 'resources' }, ...all.map(item))));
  }

  /** A link that waits for its turn where many download, and then fetches by itself. */
  function taken(href: string, name: string, size: number, title: string): HTMLElement {
    const turn = h('span', { role: 'status' });
    let waits = false;
    const take = async (event: Event): Promise<void> => {
      event.preventDefault();
      if (waits) return;
      waits = true;
      let wait = await turnOf(href);
      for (let turns = 0; wait > 0 && turns < MAX_TURNS && !gone; turns += 1) {
        setText(turn, own.turn(Math.ceil(wait / 1_000)));
        await new Promise((done) => setTimeout(done, wait));
        wait = gone ? 0 : await turnOf(href);
      }
      waits = false;
      if (gone) return;
      setText(turn, wait > 0 ? own.later : '');
      if (wait === 0) h('a', { href, download: name }).click();
    };
    // Texts read aloud are listened to here, one by one, without being taken home.
    const sound = href.endsWith('.mp3') && h('audio', { controls: true, preload: 'none', src: href, 'aria-label': name });
    return h('span', {}, h('a', { href, download: name, title, onclick: (event: Event) => void take(event) }, `${name} `, h('span', { class: 'quiet' }, bytes(size))), ' ', turn, sound);
  }

  function row({ id, title, kind, subject, edition, volume, provider, licence, link, files }: Resource): HTMLElement {
    const facts = [own.kinds[kind], subject && subjectLabel(subject, language), edition, volumeLabel(volume, language), own.provider(provider), own.licence(licence)];
    const where = link ? [h('a', { href: link, rel: 'noreferrer' }, own.app)] : files.map((file) => taken(`/${file.path}`, file.name, file.bytes, own.sum(file.sha256)));
    const all = where.length > 5 ? [h('details', {}, h('summary', {}, own.files(where.length)), h('ul', {}, ...where.map((file) => h('li', {}, file))))] : where;
    return h('li', { 'data-resource': id }, h('p', {}, h('b', {}, title)), h('p', { class: 'quiet' }, inLine(facts)), ...all.map((file) => h('p', {}, file)));
  }
}

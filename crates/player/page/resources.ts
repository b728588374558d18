/** 课本和资料: what can be taken home, by grade and subject, with its size, its source and its terms; and the provinces' own platforms. */

import type { Context } from './context';
import { h, icon, replace, setText } from './dom';
import { bytes } from './format';
import { gradeName } from './grouping';
import { readJson } from './network';
import { groupsDown, parsePlatforms, parseResources, type Platform, type Resource } from './resource-list';
import { gradeLabel, stageName, subjectLabel, volumeLabel } from './words';
import { resourceWordsIn } from './words-resources';

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
  void fill();
  void fillPlatforms();
  return () => {
    gone = true;
  };

  async function fill(): Promise<void> {
    const answer = await readJson('/resources/index.json');
    if (gone) return;
    const resources = answer.ok ? parseResources(answer.json) : undefined;
    if (!resources) return setText(said, words.catalogueTrouble[answer.ok ? 'damaged' : answer.trouble].what);
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
    const health = all.some(({ group }) => group) ? await readJson('/resources/health.json') : undefined;
    if (gone) return;
    const down = groupsDown(health?.ok ? health.json : undefined);
    const link = ({ zh, en, url }: Platform): HTMLElement => h('a', { href: url, rel: 'noreferrer' }, language === 'en' && en ? en : zh);
    const item = (platform: Platform): HTMLElement => {
      const isDown = down.has(platform.group);
      const other = isDown ? all.find(({ id }) => id === platform.instead) : undefined;
      return h('li', { 'data-platform': platform.id, 'data-standing': isDown ? 'down' : 'up' }, link(platform), isDown && h('b', {}, ` ${own.down} `), other && h('span', {}, own.instead, link(other)));
    };
    replace(platforms, h('section', {}, h('h2', {}, own.platforms), h('ul', {}, ...all.map(item))));
  }

  function row({ id, title, kind, subject, edition, volume, provider, licence, link, files }: Resource): HTMLElement {
    const facts = [own.kinds[kind], subject && subjectLabel(subject, language), edition, volumeLabel(volume, language), own.provider(provider), own.licence(licence)];
    const where = link ? [h('a', { href: link, rel: 'noreferrer' }, own.app)] : files.map((file) => h('a', { href: `/${file.path}`, download: file.name, title: own.sum(file.sha256) }, `${file.name} `, h('span', { class: 'quiet' }, bytes(file.bytes))));
    const all = where.length > 5 ? [h('details', {}, h('summary', {}, own.files(where.length)), h('ul', {}, ...where.map((file) => h('li', {}, file))))] : where;
    return h('li', { 'data-resource': id }, h('p', {}, h('b', {}, title)), h('p', { class: 'quiet' }, facts.filter(Boolean).join(' · ')), ...all.map((file) => h('p', {}, file)));
  }
}

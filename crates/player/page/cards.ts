/** What stands for a lesson in a list. */

import type { Lesson } from './catalogue';
import type { Context } from './context';
import { h } from './dom';
import { inLine, minutes } from './format';
import type { Position } from './positions';
import { lessonRoute } from './route';
import { subjectLabel, volumeLabel } from './words';
import { homeWordsIn } from './words-home';

/** A lesson's card; `position` is where one stopped in it. */
export function lessonCard({ words, language }: Context, lesson: Lesson, position: Position | undefined): HTMLElement {
  const home = homeWordsIn(language);
  const place = [lesson.edition, volumeLabel(lesson.volume, language), lesson.unit].filter(Boolean);
  const facts = [lesson.teacher, lesson.durationMs > 0 && words.minutes(minutes(lesson.durationMs)), lesson.provider && home.provider(lesson.provider), lesson.licence && home.licence(lesson.licence), position?.done && words.watched];
  return h(
    'a',
    { class: 'card', href: lessonRoute(lesson.id), 'data-lesson': lesson.id },
    tile(subjectLabel(lesson.subject, language), lesson.subject),
    h(
      'span',
      { class: 'card-text' },
      h('span', { class: 'card-title' }, lesson.title),
      place.length > 0 && h('span', { class: 'card-place' }, inLine(place)),
      h('span', { class: 'card-facts' }, ...facts.filter(Boolean).map((fact) => h('span', {}, fact as string))),
    ),
    position && progress(position),
  );
}

/** The other lessons of one place in the syllabus. */
export function besideCards(context: Context, lessons: readonly Lesson[], places: ReadonlyMap<string, Position>): HTMLElement {
  return h(
    'details',
    { class: 'beside' },
    h('summary', {}, homeWordsIn(context.language).beside(lessons.length)),
    h('ul', { class: 'cards' }, ...lessons.map((lesson) => h('li', {}, lessonCard(context, lesson, places.get(lesson.id))))),
  );
}

/** The subject's first letter on its colour: lessons have no posters to download. */
function tile(name: string, subject: string): HTMLElement {
  return h('span', { class: 'tile', 'aria-hidden': true, 'data-hue': HUES[subject] ?? 'plain' }, [...name][0] ?? '');
}

const HUES: Record<string, string> = {
  语文: 'red', 数学: 'blue', 英语: 'violet', 科学: 'green', 物理: 'blue', 化学: 'violet', 生物学: 'green', 生物: 'green',
  历史: 'brown', 地理: 'green', 道德与法治: 'red', 思想政治: 'red', 音乐: 'violet', 美术: 'brown', 体育与健康: 'green', 体育: 'green',
  信息科技: 'blue', 信息技术: 'blue', 劳动: 'brown',
};

/** How far one has come. */
export function progress({ at, of, done }: Position): HTMLElement {
  const bar = h('span', { class: 'progress', 'aria-hidden': true }, h('span'));
  (bar.firstElementChild as HTMLElement).style.setProperty('width', `${done ? 100 : Math.min(100, (at / of) * 100)}%`);
  return bar;
}

/** Cards that are on their way. */
export function skeleton(): HTMLElement[] {
  return [h('ul', { class: 'cards skeleton', 'aria-hidden': true }, ...Array.from({ length: 6 }, () => h('li', {}, h('span', { class: 'card' }))))];
}

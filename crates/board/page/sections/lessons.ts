/** What is watched most. */

import { bar, fill, h, part, rows, say, set } from '../dom';
import { bytes, percent } from '../format';
import type { Status } from '../source';
import type { MakeSection } from '../view';
import { card } from './card';

const SHOWN = 8;

export const lessons: MakeSection = (words) => {
  const note = h('p', { class: 'note' });
  const list = h('ol', { class: 'list top' });
  const element = card('lessons', words.top, note, list);
  const make = () => h('li', {}, h('span', { class: 'title' }), h('span', { class: 'amount' }), bar());
  return {
    element,
    update({ status }) {
      const { over_s, bytes: all, top } = status.lessons;
      list.hidden = top.length === 0;
      say(note, top.length === 0 ? words.nothing : words.topNote(Math.max(1, Math.round(over_s / 60)), bytes(all)));
      rows(list, top.slice(0, SHOWN), make, (row, lesson: Status['lessons']['top'][number]) => {
        set(row, 'data-package', lesson.package);
        set(row, 'data-bytes', lesson.bytes);
        say(part(row, 'title'), lesson.title ?? `${words.unplanned} · ${lesson.package.slice(0, 8)}`);
        const share = lesson.bytes / Math.max(all, 1);
        say(part(row, 'amount'), `${bytes(lesson.bytes)} · ${percent(share, 0)}`);
        fill(part(row, 'bar'), share);
      });
    },
  };
};

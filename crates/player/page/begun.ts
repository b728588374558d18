/** What was begun and not watched to its end, to go on with. */

import { progress } from './cards';
import { readChoice } from './choice';
import type { Context } from './context';
import { h, icon } from './dom';
import { clock } from './format';
import { isNeverReminded } from './limits';
import { lessonRoute } from './route';

/** Begun lessons on offer. */
const BEGUN = 4;

/** The section, with a button that forgets them all; undefined where nothing was ever begun. */
export function begunLessons(context: Context, forget: () => void): HTMLElement | undefined {
  const { words, positions } = context;
  const begun = positions.all();
  if (begun.length === 0) return undefined;
  // Who is not to be reminded finds the way back in the list itself.
  const open = isNeverReminded(readChoice(context).grade) ? [] : begun.filter((position) => !position.done).slice(0, BEGUN);
  const clear = h('button', { type: 'button', class: 'button small quiet', 'data-control': 'clear', onclick: forget }, words.clearPositions);
  return h(
    'section',
    { class: 'begun' },
    h('div', { class: 'begun-head' }, open.length > 0 && h('h2', {}, words.continueWatching), clear),
    open.length > 0 && h(
      'ul',
      { class: 'cards' },
      ...open.map((position) =>
        h(
          'li',
          {},
          h(
            'a',
            { class: 'card', href: lessonRoute(position.id) },
            h('span', { class: 'tile go', 'aria-hidden': true }, icon('play')),
            h(
              'span',
              { class: 'card-text' },
              h('span', { class: 'card-title' }, position.title),
              h('span', { class: 'card-facts' }, words.leftAt(clock(position.at))),
            ),
            progress(position),
          ),
        ),
      ),
    ),
  );
}

/** Whom the node asks, and whether they answer. */

import { h, part, rows, say, set } from '../dom';
import { whole } from '../format';
import type { Upstream } from '../source';
import type { MakeSection } from '../view';
import { card } from './card';

export const upstreams: MakeSection = (words) => {
  const none = h('p', { class: 'note' }, words.noUpstreams);
  const list = h('ul', { class: 'list' });
  const element = card('upstreams', words.upstreams, none, list);
  const make = () => h('li', {}, h('span', { class: 'dot', 'aria-hidden': 'true' }), h('span', { class: 'title' }), h('span', { class: 'state' }), h('span', { class: 'count' }));
  return {
    element,
    update({ status }) {
      none.hidden = status.upstreams.length > 0;
      rows(list, status.upstreams, make, (row, one: Upstream) => {
        set(row, 'data-upstream', one.name);
        set(part(row, 'dot'), 'class', `dot ${one.up ? 'good' : 'bad'}`);
        say(part(row, 'title'), one.group && one.group !== 'default' ? `${one.name} (${one.group})` : one.name);
        say(part(row, 'state'), one.up ? words.up : words.down);
        const asked = Object.values(one.asked).reduce((sum, count) => sum + count, 0);
        say(part(row, 'count'), `${words.load(one.load)} · ${words.asked(whole(asked))}`);
      });
    },
  };
};

/** Whom the node asks, and whether they answer. */

import { h, part, rows, say, set } from '../dom';
import { whole } from '../format';
import type { Upstream } from '../source';
import { asked, listed, standing, type Standing } from '../standing';
import type { MakeSection } from '../view';
import { card } from './card';

const DOTS: Record<Standing, string> = { up: 'dot good', unused: 'dot', down: 'dot bad' };

export const upstreams: MakeSection = (words) => {
  const none = h('p', { class: 'note' }, words.noUpstreams);
  const list = h('ul', { class: 'list' });
  const others = h('p', { class: 'note' });
  const element = card('upstreams', words.upstreams, none, list, others);
  const make = () => h('li', {}, h('span', { class: 'dot', 'aria-hidden': 'true' }), h('span', { class: 'title' }), h('span', { class: 'state' }), h('span', { class: 'count' }));
  return {
    element,
    update({ status }) {
      none.hidden = status.upstreams.length > 0;
      const { shown, rest } = listed(status.upstreams);
      rows(list, shown, make, (row, one: Upstream) => {
        set(row, 'data-upstream', one.name);
        set(part(row, 'dot'), 'class', DOTS[standing(one)]);
        say(part(row, 'title'), one.group && one.group !== 'default' ? `${one.name} (${one.group})` : one.name);
        say(part(row, 'state'), words.standings[standing(one)]);
        say(part(row, 'count'), `${words.load(one.load)} · ${words.asked(whole(asked(one)))}`);
      });
      const kinds = (['down', 'up', 'unused'] as const).filter((kind) => rest[kind] > 0);
      others.hidden = kinds.length === 0;
      say(others, words.others(kinds.map((kind) => `${words.standings[kind]} ${rest[kind]}`)));
    },
  };
};

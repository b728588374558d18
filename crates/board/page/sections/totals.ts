/** Counters since the process began, every digit: what `/metrics` says. */

import { h, say } from '../dom';
import { whole } from '../format';
import type { Counts } from '../source';
import type { MakeSection } from '../view';
import { card } from './card';

const TIERS = ['ram', 'disk', 'upstream', 'own'] as const;

export const totals: MakeSection = (words) => {
  const cells: [HTMLElement, (counts: Counts) => number][] = [];
  const cell = (name: string, of: (counts: Counts) => number) => {
    const element = h('td', { 'data-count': name });
    cells.push([element, of]);
    return element;
  };
  const head = h('thead', {}, h('tr', {}, h('td', {}), h('th', { scope: 'col' }, words.requests), h('th', { scope: 'col' }, words.bytes)));
  const body = h('tbody', {});
  for (const tier of TIERS) {
    body.append(
      h(
        'tr',
        {},
        h('th', { scope: 'row' }, words[tier]),
        cell(`requests_${tier}`, (counts) => counts[`requests_${tier}`]),
        cell(`bytes_${tier}`, (counts) => counts[`bytes_${tier}`]),
      ),
    );
  }
  const sum = (of: 'requests' | 'bytes') => (counts: Counts) => TIERS.reduce((all, tier) => all + counts[`${of}_${tier}`], 0);
  body.append(h('tr', { class: 'sum' }, h('th', { scope: 'row' }, words.total), cell('requests', sum('requests')), cell('bytes', sum('bytes'))));
  const line = (label: string, name: 'sent_bytes' | 'received_bytes') =>
    h('tr', {}, h('th', { scope: 'row' }, label), h('td', {}), cell(name, (counts) => counts[name]));
  body.append(line(words.sent, 'sent_bytes'), line(words.received, 'received_bytes'));
  const element = card('totals', words.totals, h('table', {}, head, body));
  return {
    element,
    update({ status }) {
      // Every digit, on the next line where they are longer than a phone is wide: a thin space may end one.
      for (const [cell, of] of cells) say(cell, whole(of(status.counts)).replace(/\u202f/g, '\u2009'));
    },
  };
};

/** What is used of the machine, and what is kept where. */

import { bar, fill, h, part, rows, say, set } from '../dom';
import { bytes, percent, whole } from '../format';
import type { MakeSection } from '../view';
import { card } from './card';

/** From these shares on the edge puts work off (`crates/edge/src/overload/pressure.rs`). */
const BUSY = 0.75;
const CRITICAL = 0.95;

export const machine: MakeSection = (words) => {
  const level = h('p', { class: 'label' });
  const shares = h('ul', { class: 'list shares' });
  const stores = h('ul', { class: 'list' });
  const element = card('machine', words.machine, level, shares, stores);
  const makeShare = () => h('li', {}, h('span', { class: 'title' }), h('span', { class: 'amount' }), bar());
  const makeStore = () => h('li', {}, h('span', { class: 'dot', 'aria-hidden': 'true' }), h('span', { class: 'title' }), h('span', { class: 'state' }), h('span', { class: 'count' }));
  return {
    element,
    update({ status }) {
      say(level, `${words.pressure}: ${words.levels[status.counts.overload_level] ?? status.counts.overload_level}`);
      rows(shares, Object.entries(status.pressure), makeShare, (row, [reason, share]) => {
        say(part(row, 'title'), words.reasons[reason] ?? reason);
        say(part(row, 'amount'), percent(share, 0));
        const line = part(row, 'bar');
        fill(line, share);
        set(line, 'class', `bar ${share >= CRITICAL ? 'bad' : share >= BUSY ? 'warn' : ''}`);
      });
      const memory = { disk: words.cacheRam, state: 'online', ...status.memory };
      rows(stores, [memory, ...status.disks], makeStore, (row, store) => {
        const well = store.state === 'online' || store.state === 'opening';
        set(part(row, 'dot'), 'class', `dot ${well ? 'good' : 'bad'}`);
        say(part(row, 'title'), store.disk);
        say(part(row, 'state'), words.states[store.state] ?? store.state);
        say(part(row, 'count'), `${bytes(store.bytes)} · ${words.objects(whole(store.objects))}`);
      });
    },
  };
};

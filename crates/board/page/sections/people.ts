/** How many watch and wait, without knowing any of them. */

import { chart } from '../chart';
import { h, part, say } from '../dom';
import { percent, short, whole } from '../format';
import type { MakeSection } from '../view';
import { card, figure } from './card';

export const people: MakeSection = (words) => {
  const players = figure('players', words.players);
  const waiting = figure('waiting', words.waiting);
  const connections = figure('connections', words.connections);
  const inFlight = figure('in-flight', words.inFlight);
  const slow = figure('slow', words.slow, words.lately);
  const plot = chart([{ label: words.players, colour: '--out', fill: 'soft' }], whole, short, (max) => Math.max(max * 1.1, 10));
  const element = card(
    'people',
    words.people,
    h('dl', { class: 'figures' }, players, waiting, connections, inFlight, slow),
    h('p', { class: 'note' }, words.playersNote),
    plot.element,
  );
  return {
    element,
    redraw: plot.redraw,
    update({ status, history }) {
      const inLine = Object.values(status.waiting).reduce((sum, count) => sum + count, 0);
      say(part(players, 'value'), whole(status.counts.players));
      say(part(waiting, 'value'), whole(inLine));
      say(part(connections, 'value'), whole(status.connections));
      say(part(inFlight, 'value'), whole(status.counts.in_flight));
      const late = history.slow();
      say(part(slow, 'value'), late === null ? words.noData : percent(late, 2));
      plot.update(history.seconds, [history.gauge('players')], status.zone_s, words.chart(words.players, whole(status.counts.players)));
    },
  };
};

/** What goes out and comes in, against what may. */

import { chart } from '../chart';
import { bar, fill, h, say } from '../dom';
import { bits, percent, rate, short } from '../format';
import type { MakeSection } from '../view';
import { card } from './card';

/** Below this share of the limit its line would press the curve to the ground; the bar shows it anyway. */
const LIMIT_IN_SIGHT = 0.35;

export const bandwidth: MakeSection = (words) => {
  const number = h('span', { class: 'number', 'data-figure': 'sent_bps' });
  const unit = h('span', { class: 'unit' });
  const into = h('span', { class: 'number small' });
  const intoUnit = h('span', { class: 'unit' });
  const share = bar();
  const ofLimit = h('p', { class: 'note' });
  const billed = h('p', { class: 'note' });
  const scale = (max: number) => Math.max(max * 1.1, 1000);
  const plot = chart(
    [
      { label: words.out, colour: '--out', fill: 'soft' },
      { label: words.into, colour: '--in' },
      { label: words.limit, colour: '--alert', dashed: true },
    ],
    rate,
    short,
    scale,
  );
  const element = card(
    'bandwidth',
    words.bandwidth,
    h(
      'div',
      { class: 'heads' },
      h('p', { class: 'head' }, h('span', { class: 'label' }, words.out), number, unit),
      h('p', { class: 'head' }, h('span', { class: 'label' }, words.into), into, intoUnit),
    ),
    share,
    ofLimit,
    billed,
    plot.element,
  );
  return {
    element,
    redraw: plot.redraw,
    update({ status, history }) {
      const { sent_bps, received_bps, limit_bps, month95_bps, level_bps } = status.bandwidth;
      const [out, outUnit] = bits(sent_bps);
      const [inn, innUnit] = bits(received_bps);
      say(number, out);
      say(unit, outUnit);
      say(into, inn);
      say(intoUnit, innUnit);
      const part = limit_bps === null ? 0 : sent_bps / limit_bps;
      share.hidden = limit_bps === null;
      fill(share, part);
      share.className = `bar ${part > 0.95 ? 'bad' : part > 0.85 ? 'warn' : ''}`;
      say(ofLimit, limit_bps === null ? words.noLimit : words.ofLimit(percent(part), rate(limit_bps)));
      const money = [month95_bps !== null && words.month95(rate(month95_bps)), level_bps !== null && words.level(rate(level_bps))];
      say(billed, money.filter(Boolean).join(' · '));
      const sent = history.bps('sent_bytes');
      const highest = Math.max(0, ...sent.map((value) => value ?? 0));
      const line = limit_bps !== null && highest > limit_bps * LIMIT_IN_SIGHT ? limit_bps : null;
      const data = [sent, history.bps('received_bytes'), sent.map(() => line)];
      plot.update(history.seconds, data, status.zone_s, words.chart(words.bandwidth, `${words.out} ${rate(sent_bps)}, ${words.into} ${rate(received_bps)}`));
    },
  };
};

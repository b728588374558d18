/** What the cache answers, by tier: of bytes and of requests. */

import { chart } from '../chart';
import { h, part, say } from '../dom';
import { percent } from '../format';
import type { Shares } from '../history';
import type { MakeSection } from '../view';
import { card, figure } from './card';

export const cache: MakeSection = (words) => {
  const byteHits = figure('byte-hits', words.byteHits, words.lately);
  const requestHits = figure('request-hits', words.requestHits, words.lately);
  // One upon the other: the largest is drawn first.
  const plot = chart(
    [
      { label: words.upstream, colour: '--tier-upstream', fill: 'solid' },
      { label: words.disk, colour: '--tier-disk', fill: 'solid' },
      { label: words.ram, colour: '--tier-ram', fill: 'solid' },
    ],
    (share) => percent(share),
    (share) => `${Math.round(share * 100)} %`,
    () => 1,
  );
  const element = card('cache', words.hits, h('dl', { class: 'figures' }, byteHits, requestHits), h('p', { class: 'note' }, words.share), plot.element);
  const text = (shares: Shares | null) => (shares ? percent(shares.ram + shares.disk) : words.noData);
  const byTier = (shares: Shares) => `${words.ram} ${percent(shares.ram)} · ${words.disk} ${percent(shares.disk)}`;
  return {
    element,
    redraw: plot.redraw,
    update({ status, history }) {
      for (const [figure, of] of [[byteHits, 'bytes'], [requestHits, 'requests']] as const) {
        const shares = history.lately(of);
        say(part(figure, 'value'), text(shares));
        figure.title = shares ? byTier(shares) : '';
      }
      const shares = history.shares('bytes');
      const line = (of: (shares: Shares) => number) => shares.map((one) => (one ? of(one) : null));
      const lately = history.lately('bytes');
      plot.update(
        history.seconds,
        [line(() => 1), line((one) => one.ram + one.disk), line((one) => one.ram)],
        status.zone_s,
        words.chart(words.byteHits, lately ? `${text(lately)}, ${byTier(lately)}` : words.noData),
      );
    },
  };
};

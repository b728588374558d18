/** What may be said of an upstream, and which of many are listed. */

import type { Upstream } from './source';

export type Standing =
  /** It answers, as far as is known. */
  | 'up'
  /** Nothing has been asked of it by now: nothing is known against it, and nothing for it. */
  | 'unused'
  | 'down';

/** So many are listed: with more the row of cards is higher than a screen. */
export const LISTED = 8;

export const asked = (one: Upstream) => Object.values(one.asked).reduce((sum, count) => sum + count, 0);

export function standing(one: Upstream): Standing {
  if (!one.up) return 'down';
  return asked(one) + one.load > 0 ? 'up' : 'unused';
}

const ORDER: Standing[] = ['down', 'up', 'unused'];

/** Those that are listed: what is wrong first, then those in use, each in the node's own order; and how many of the others stand how. */
export function listed(all: readonly Upstream[]): { shown: Upstream[]; rest: Record<Standing, number> } {
  const sorted = ORDER.flatMap((kind) => all.filter((one) => standing(one) === kind));
  const rest: Record<Standing, number> = { down: 0, up: 0, unused: 0 };
  for (const one of sorted.slice(LISTED)) rest[standing(one)] += 1;
  return { shown: sorted.slice(0, LISTED), rest };
}

/**
 * What time it is, for all that depends on the day or the hour: by the nodes, since a phone's clock may be wrong by days. Lessons open by the
 * nodes' time, too. Kept for the page's life from the last answer that told it, and by the device where none did.
 */

import { moment, passed, type Moment } from './alarm';

/** A time that was told, and when it was. */
interface Told {
  /** In milliseconds since 1970. */
  time: number;
  at: Moment;
}

let told: Told | undefined;

/** Now, in milliseconds since 1970. A device that slept is no hindrance, nor one whose clock is set right meanwhile (`alarm.ts`). */
export function timeNow(): number {
  return timeAt(told, moment());
}

/**
 * Notes what an answer says. Only of one that came from the network just now, which the caller knows: of one that lay on the device the time
 * is that at which it was put there.
 */
export function hearTime(field: (name: string) => string | null): void {
  const time = timeOf(field('Date'), field('Age'));
  if (time !== undefined) told = { time, at: moment() };
}

/** The time by what was told, or else by the device. Pure. */
export function timeAt(known: Told | undefined, here: Moment): number {
  return known ? known.time + passed(known.at, here) : here.wall;
}

/** Longest stay of an answer in caches that is believed, in seconds: a year, as long as anything may be kept. */
const MAX_AGE_S = 31_536_000;

/** When an answer was given, in milliseconds since 1970: made at `Date`, and for `Age` in caches since (RFC 9111 §5.1). Pure. */
export function timeOf(date: string | null, age: string | null): number | undefined {
  const made = Date.parse(date ?? '');
  const seconds = age === null ? 0 : /^\d{1,8}$/.test(age.trim()) ? Number(age) : NaN;
  return made > 0 && seconds <= MAX_AGE_S ? made + seconds * 1_000 : undefined;
}

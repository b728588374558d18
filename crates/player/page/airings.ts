/** Where television shows a lesson, by the day's guide: asked for only when the lesson cannot be had here. */

import { readJson } from './network';
import { keptGuide } from './offline/guides';
import type { Store } from './store';
import { timeNow } from './time';
import { dayInChina } from './timetable';

export interface Airing {
  /** The channel's name. */
  channel: string;
  /** When it begins there, in milliseconds since 1970. */
  at: number;
}

/** Guides are days of this zone. */
const ZONE_MS = 8 * 3_600_000;

/** Airings that are named; the next ones. */
const MAX_AIRINGS = 2;

/** The guide of the day that `now` is in. */
export function guideOf(now: number): string {
  return `/timetable/${new Date(now + ZONE_MS).toISOString().slice(0, 10)}.json`;
}

/** When a guide (`airclass-day/1`) has the lesson on air: what runs now, and what comes, the next first. */
export function airingsIn(guide: unknown, lesson: string, now: number): Airing[] {
  const { channels } = (guide ?? {}) as { channels?: unknown };
  if (!Array.isArray(channels)) return [];
  const airings: Airing[] = [];
  for (const channel of channels) {
    const { title, programmes } = (channel ?? {}) as Record<string, unknown>;
    if (typeof title !== 'string' || !Array.isArray(programmes)) continue;
    for (const programme of programmes) {
      const { lesson: shown, start, end } = (programme ?? {}) as Record<string, unknown>;
      const at = Date.parse(String(start));
      if (shown === lesson && at >= 0 && Date.parse(String(end)) > now) airings.push({ channel: title.slice(0, 80), at });
    }
  }
  return airings.sort((a, b) => a.at - b.at).slice(0, MAX_AIRINGS);
}

/** The lesson's airings today; by the guide on the device where nobody can be asked. */
export async function airingsOf(lesson: string, store: Store): Promise<Airing[]> {
  const now = timeNow();
  const answer = await readJson(guideOf(now));
  return airingsIn(answer.ok ? answer.json : keptGuide(store, dayInChina(now))?.guide, lesson, now);
}

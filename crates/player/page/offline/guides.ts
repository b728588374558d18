/**
 * The timetable on the device, for when there is no network: today's as it was read last, and with a lesson that is kept tomorrow's, too.
 * Of a guide what a page shows of it, so that it is small.
 */

import { readJson } from '../network';
import type { Store } from '../store';
import { timeNow } from '../time';
import { dayInChina, guideOf } from '../timetable';

const KEY = 'guides';
const DAY_MS = 86_400_000;

/** What is kept of one day at most: a nation has some sixty lessons and a dozen channels. */
const MAX_ENTRIES = 500;
const MAX_CHANNELS = 50;

type Fields = Record<string, unknown>;

interface Kept {
  /** When it was read, in milliseconds since 1970. */
  at: number;
  guide: unknown;
}

/** Keeps the guide of `day`, beside those of today and tomorrow that are kept already. */
export function keepGuide(store: Store, day: string, guide: unknown, now: number): void {
  const days = near(store, now);
  days[day] = { at: now, guide: small(guide) };
  store.write(KEY, days);
}

/** The guide of `day` as it is kept, and when it was read. */
export function keptGuide(store: Store, day: string): Kept | undefined {
  const kept = fields(fields(store.read(KEY))[day]);
  return typeof kept.at === 'number' && Number.isFinite(kept.at) ? { at: kept.at, guide: kept.guide } : undefined;
}

/** Reads today's guide and tomorrow's, and keeps them. */
export async function takeGuides(store: Store): Promise<void> {
  const days = await readJson('/timetable/days.json', 'no-store');
  if (!days.ok) return;
  const now = timeNow();
  for (const day of [dayInChina(now), dayInChina(now + DAY_MS)]) {
    const path = guideOf(days.json, day);
    const answer = path === undefined ? undefined : await readJson(path);
    if (answer?.ok) keepGuide(store, day, answer.json, now);
  }
}

/** What is kept of today and tomorrow; days that are over go. */
function near(store: Store, now: number): Fields {
  const all = fields(store.read(KEY));
  const wanted = [dayInChina(now), dayInChina(now + DAY_MS)];
  return Object.fromEntries(wanted.flatMap((day) => (day in all ? [[day, all[day]]] : [])));
}

function small(guide: unknown): object {
  const { lessons, channels } = fields(guide);
  return {
    lessons: list(lessons, MAX_ENTRIES).map(({ lesson, release, grades, title, subject }) => ({ lesson, release, grades, title, subject })),
    channels: list(channels, MAX_CHANNELS).map(({ title, programmes }) => ({
      title, programmes: list(programmes, MAX_ENTRIES).flatMap(({ lesson, start, end }) => (lesson === undefined ? [] : [{ lesson, start, end }])),
    })),
  };
}

function list(value: unknown, most: number): Fields[] {
  return Array.isArray(value) ? value.slice(0, most).map(fields) : [];
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

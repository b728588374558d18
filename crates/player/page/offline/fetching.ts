/** Fetching a bundle part by part, so that a cut or a closed page costs one part. */

import { MAX_ATTEMPTS, retryAfter, waitBefore } from '../recovery';
import { timeNow } from '../time';
import { inChina } from '../timetable';
import type { Kept, Shelf } from './shelf';

/** One part, in bytes: half a minute of a weak line. */
export const PART_BYTES = 512 * 1024;

/** How long one part may take, in milliseconds. */
const PATIENCE_MS = 120_000;

/** The largest bundle that is fetched, in bytes; packages promise less than half of it. */
const MAX_BYTES = 2 ** 30;

/** `morning`: what was wished for the night has not all come in it, and what is left waits for the next. */
export type Ended = 'done' | 'missing' | 'full' | 'unreachable' | 'morning' | 'stopped';

const HOUR_MS = 3_600_000;

/** Where the night begins and ends, in hours by the clock of China, as lessons are: cheap and idle time, whatever zone the device was set to. */
const NIGHT = { from: 0.5, to: 5.5 };

/** A moment of the coming night (or of this one, while it lasts), spread by `dice` so that not everybody begins at once. */
export function tonight(now: Date, dice: number): Date {
  const time = now.getTime();
  const midnight = time - (inChina(time).getTime() % (24 * HOUR_MS));
  const day = time < midnight + NIGHT.to * HOUR_MS ? 0 : 24;
  const from = Math.max(midnight + (day + NIGHT.from) * HOUR_MS, time);
  return new Date(from + (midnight + (day + NIGHT.to) * HOUR_MS - from) * dice);
}

/**
 * When a lesson is fetched that was wished for `wanted`, in milliseconds since 1970, zero for at once; what is over means now. Of a night
 * that was slept through, or not enough, what is left waits for the next one: by day the lines are for lessons. Pure.
 */
export function due(wanted: number, now: Date, dice: number): number {
  const isNight = tonight(now, 0) <= now;
  return wanted === 0 || wanted > now.getTime() || isNight ? wanted : tonight(now, dice).getTime();
}

/** How long a line that is gone at night is left alone before it is tried again, in milliseconds; at the least half of it. */
const REST_MS = 30 * 60_000;

/**
 * When a lesson is gone on with that was wished for `wanted` and `ended` now; undefined where only a person's press does. A line that broke
 * off is tried again in the same night, by rests of at most half an hour, which makes twenty tries; then in the next night. Pure.
 */
export function nextTry(ended: Ended, wanted: number, now: Date, dice: number): number | undefined {
  if (ended === 'morning') return due(wanted, now, dice);
  if (ended !== 'unreachable' || wanted === 0) return undefined;
  const rested = now.getTime() + (REST_MS / 2) * (1 + dice);
  return due(rested, new Date(rested), dice);
}

/** What an answer to a range says: the bytes in all, or why not. Pure. */
export function judge(status: number, contentRange: string | null, received: number): { total: number } | 'missing' | 'again' {
  if (status === 403 || status === 404 || status === 410) return 'missing';
  const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(contentRange ?? '');
  if (status !== 206 || !range || Number(range[1]) !== received) return 'again';
  const total = Number(range[3]);
  return total > 0 && total <= MAX_BYTES ? { total } : 'missing';
}

/** Fetches what is missing of `kept`. `stop` ends it; what has come stays. */
export async function fetchBundle(shelf: Shelf, kept: Kept, stop: AbortSignal, progress: (kept: Kept) => void): Promise<Ended> {
  let failures = 0;
  for (let now = kept; ; ) {
    if (stop.aborted) return 'stopped';
    const time = timeNow();
    if (due(now.notBefore, new Date(time), 0) > time) return 'morning';
    const came = await part(now, stop);
    if (came === 'missing') return 'missing';
    if (typeof came === 'number') {
      if (stop.aborted) return 'stopped';
      if (failures >= MAX_ATTEMPTS) return 'unreachable';
      await pause(waitBefore(failures, Math.random(), came), stop);
      failures += 1;
      continue;
    }
    failures = 0;
    const received = now.received + came.bytes.byteLength;
    now = { ...now, total: came.total, received, parts: now.parts + 1, done: received >= came.total };
    try {
      await shelf.write(now, came.bytes);
    } catch {
      return 'full';
    }
    progress(now);
    if (now.done) return 'done';
  }
}

/** The next part; a number when it is to be asked for again, no sooner than so many milliseconds. */
async function part({ folder, received }: Kept, stop: AbortSignal): Promise<{ bytes: ArrayBuffer; total: number } | 'missing' | number> {
  const limit = new AbortController();
  const end = (): void => limit.abort();
  const timer = setTimeout(end, PATIENCE_MS);
  stop.addEventListener?.('abort', end);
  try {
    const answer = await fetch(`${folder}bundle/lesson.tar`, {
      headers: { Range: `bytes=${received}-${received + PART_BYTES - 1}` },
      credentials: 'omit', referrerPolicy: 'no-referrer', signal: limit.signal,
    });
    const said = judge(answer.status, answer.headers.get('content-range'), received);
    if (said === 'missing') return 'missing';
    if (said === 'again') return retryAfter(answer.headers.get('retry-after'));
    const bytes = await answer.arrayBuffer();
    return bytes.byteLength > 0 ? { bytes, total: said.total } : 0;
  } catch {
    return 0;
  } finally {
    clearTimeout(timer);
    stop.removeEventListener?.('abort', end);
  }
}

function pause(milliseconds: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    stop.addEventListener?.('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Fetching the small JSON files of the store. */

import { heard } from './answers';
import { retryAfter, troubleOf, type Trouble } from './recovery';
import { hearTime } from './time';

export type Answer = { ok: true; json: unknown } | { ok: false; trouble: Trouble; retryAfterMs: number };

/** How long one file may take, in milliseconds: a slow line with a long catalogue, not a dead one. */
const PATIENCE_MS = 20_000;

/** Longest file accepted, in characters; the longest part of a national catalogue is about a tenth of it. */
const MAX_JSON_CHARS = 32 * 1024 * 1024;

/**
 * Reads a JSON file of our own address. Never throws; sends nothing that could tell one reader from another. `cache` is what fetching does
 * with the device's own: an answer to `no-store` was given just now, and tells what time it is.
 */
export async function readJson(path: string, cache: RequestCache = 'default'): Promise<Answer> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE_MS);
  try {
    const response = await fetch(path, { credentials: 'omit', referrerPolicy: 'no-referrer', signal: stop.signal, cache });
    const field = (name: string): string | null => response.headers.get(name);
    heard(path, response.status, field);
    if (cache === 'no-store') hearTime(field);
    if (!response.ok) {
      return { ok: false, trouble: troubleOf(response.status), retryAfterMs: retryAfter(response.headers.get('retry-after')) };
    }
    const text = await response.text();
    if (text.length > MAX_JSON_CHARS) return { ok: false, trouble: 'damaged', retryAfterMs: 0 };
    try {
      return { ok: true, json: JSON.parse(text) };
    } catch {
      return { ok: false, trouble: 'damaged', retryAfterMs: 0 };
    }
  } catch {
    heard(path, 0, () => null);
    return { ok: false, trouble: 'unreachable', retryAfterMs: 0 };
  } finally {
    clearTimeout(timer);
  }
}

/** How long to wait before a file may be fetched, in milliseconds: zero where it may be now, or where nobody says when. */
export async function turnOf(path: string): Promise<number> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE_MS);
  try {
    const { status, headers } = await fetch(path, { method: 'HEAD', credentials: 'omit', referrerPolicy: 'no-referrer', cache: 'no-store', signal: stop.signal });
    return status === 503 ? retryAfter(headers.get('retry-after')) : 0;
  } catch {
    return 0;
  } finally {
    clearTimeout(timer);
  }
}

/** Runs `task` over `items`, at most `width` at a time, and waits for all. */
export async function inTurn<T>(items: readonly T[], width: number, task: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await task(item);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
}

/** A lesson's own address, and what its answer leads to. */

import { ACCEPT, parseWaiting, type Waiting } from './admission';

/** How long the question may take, in milliseconds. */
const PATIENCE_MS = 15_000;

/** What the address says: the lesson's multivariant playlist, or when one's turn is. */
export interface Pointer {
  /** Empty where it says something else. */
  playlist: string;
  waiting?: Waiting | undefined;
}

/** Asks it. Rejects where no answer comes. */
export function askPointer(url: string): Promise<Pointer> {
  return askText(url, { Accept: ACCEPT }).then(([status, text]) => ({ playlist: status < 300 ? text : '', waiting: parseWaiting(status, text) }));
}

/** Asks for a text: its status, and all of it. Rejects where its end does not come. */
export async function askText(url: string, headers: Record<string, string> = {}): Promise<[number, string]> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE_MS);
  try {
    const answer = await fetch(url, { headers, credentials: 'omit', referrerPolicy: 'no-referrer', signal: stop.signal });
    return [answer.status, await answer.text()];
  } finally {
    clearTimeout(timer);
  }
}

/**
 * What a player that begins on the lowest rung asks for next: that rung's playlist and the one of its sound, as they are written there. Empty
 * where there is none. Pure.
 */
export function lowestOf(playlist: string): string[] {
  const lines = playlist.split('\n');
  let lowest = Infinity;
  let found: string[] = [];
  lines.forEach((line, at) => {
    const rate = Number(/^#EXT-X-STREAM-INF:(?:.*,)?BANDWIDTH=(\d+)/.exec(line)?.[1] ?? Infinity);
    const next = lines[at + 1]?.trim();
    if (!next || rate >= lowest) return;
    lowest = rate;
    const group = /[:,]AUDIO="([^"]*)"/.exec(line)?.[1];
    const sound = group !== undefined && lines.find((line) => line.startsWith('#EXT-X-MEDIA:TYPE=AUDIO,') && line.includes(`GROUP-ID="${group}"`));
    found = [next, (sound && /[:,]URI="([^"]*)"/.exec(sound)?.[1]) || ''].filter(Boolean);
  });
  return found;
}

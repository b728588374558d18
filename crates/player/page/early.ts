/**
 * Asks for a lesson while the engine that plays it is still on its way. On a weak line the engine's script takes longer than the questions
 * that follow it, each a way there and back: where their answers are on the device by then, the engine's own cost nothing.
 *
 * Not the segments: they tell the engine how fast the line is, and from the device they would come too fast.
 */

import type { Source } from './engine';
import { hasPictures } from './mode';
import { askPointer, askText, lowestOf } from './pointer';

/** An engine that was on the device already is there sooner, in milliseconds, and asks by itself. */
const SOON_MS = 200;

/** Waits for the engine, and lets `source` have the place in line that was given meanwhile. */
export async function early<T>(engine: Promise<T>, source: Source): Promise<T> {
  // What is on the device asks nobody.
  if (source.bundle) return engine;
  const timer = setTimeout(() => void ask(source).catch(() => undefined), SOON_MS);
  try {
    return await engine;
  } finally {
    clearTimeout(timer);
  }
}

async function ask(source: Source): Promise<void> {
  const { playlist, waiting } = await askPointer(source.url);
  source.ticket = waiting?.ticket;
  const base = new URL(source.url, location.href);
  if (hasPictures(source.mode)) await Promise.all(lowestOf(playlist).map((path) => askText(new URL(path, base).href)));
}

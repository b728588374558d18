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

/** How long an answer that is on its way is waited for once the engine is here, in milliseconds. */
const ANSWER_MS = 3_000;

/**
 * Waits for the engine, and lets `source` have the place in line that was given meanwhile: a question of the engine's beside one that is on
 * its way would be answered later, and have a place behind.
 */
export async function early<T>(engine: Promise<T>, source: Source): Promise<T> {
  // What is on the device asks nobody.
  if (source.bundle) return engine;
  let asking: Promise<unknown> | undefined;
  const timer = setTimeout(() => (asking = ask(source).catch(() => undefined)), SOON_MS);
  let here: T;
  try {
    here = await engine;
  } finally {
    clearTimeout(timer);
  }
  if (asking) await Promise.race([asking, new Promise((late) => setTimeout(late, ANSWER_MS))]);
  return here;
}

/** Until the lesson's own address has answered; what it leads to is asked for behind that. */
async function ask(source: Source): Promise<void> {
  const { playlist, waiting } = await askPointer(source.url);
  source.ticket = waiting?.ticket;
  const base = new URL(source.url, location.href);
  if (hasPictures(source.mode)) for (const path of lowestOf(playlist)) askText(new URL(path, base).href).catch(() => undefined);
}

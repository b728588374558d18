/** What of a lesson is fetched: everything, less, or only what is heard. Pure. */

export type Mode =
  /** Pictures, as good as line and screen allow. */
  | 'auto'
  /** Small pictures, and little ahead of need. */
  | 'saver'
  /** Slides and sound: one picture when a new one is written, instead of 25 a second. */
  | 'slides'
  /** Sound alone. */
  | 'sound';

/** All, dearest first. */
export const MODES: readonly Mode[] = ['auto', 'saver', 'slides', 'sound'];

/** The most that saving takes, in bits per second, where a rung for it is there. */
const SAVER_BPS = 160_000;

/** What sound alone takes, in bits per second: `audio/lo` of a package. */
export const SOUND_BPS = 35_000;

/** Under which a lesson's playlist says that it has chapters. */
export const CHAPTERS = 'com.apple.hls.chapters';

/** Whether a mode fetches moving pictures. */
export function hasPictures(mode: Mode): boolean {
  return mode === 'auto' || mode === 'saver';
}

/** The highest rung that a mode lets the engine choose by itself; -1 for all. `rates` are those of the rungs, lowest first. */
export function ceiling(mode: Mode, rates: readonly number[]): number {
  if (mode === 'auto' || rates.length === 0) return -1;
  if (mode !== 'saver') return 0;
  return Math.max(0, rates.filter((rate) => rate <= SAVER_BPS).length - 1);
}

export function isMode(value: unknown): value is Mode {
  return MODES.includes(value as Mode);
}

/**
 * The folder of a lesson's package, with a slash at the end, from the address of one of its playlists; undefined where it lies
 * otherwise. What lies beside main.m3u8 is found by it.
 */
export function packageOf(url: string): string | undefined {
  return /\/p\/[0-9a-f]{40}\//.exec(url)?.[0];
}

/** The same from the text of a lesson's pointer. */
export function packageIn(pointer: string): string | undefined {
  const line = pointer.split('\n').find((text) => text.includes('/p/'));
  return line && packageOf(line);
}

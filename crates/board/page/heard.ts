/** What may be said of the figures on the page by when they came. */

/** Without an answer for so long the page says so, in milliseconds. */
export const LOST_MS = 15_000;

export type Heard =
  /** None has come, and none is late. */
  | 'opening'
  /** They are the node's of now. */
  | 'live'
  /** Nothing has come for a while, or ever. */
  | 'lost';

/** `sinceMs`: since the last figures came or, where none has come (`any`), since the page was opened. */
export function heard(any: boolean, sinceMs: number): Heard {
  if (sinceMs > LOST_MS) return 'lost';
  return any ? 'live' : 'opening';
}

/**
 * What to do after an error that stops the download or the decoder: pure rules, no clock and no dice of their own.
 *
 * A whole country's players lose an edge in the same second and must not come back in the same second: every wait is
 * spread by a random share.
 */

/** First wait before asking again, in milliseconds; doubles with each failure. */
const FIRST_WAIT_MS = 1_000;

/** Longest wait between two attempts, in milliseconds: a pupil whose line comes back waits no longer than this. */
const LONGEST_WAIT_MS = 30_000;

/** Failures in a row after which only a person's press tries again: about six minutes. */
export const MAX_ATTEMPTS = 16;

/** A `Retry-After` beyond this is not obeyed in full, in milliseconds: the page would look dead. */
const LONGEST_OBEYED_MS = 60_000;

/** Milliseconds to wait before attempt `attempt` (0 first); `dice` in [0, 1) spreads it over the upper half. */
export function waitBefore(attempt: number, dice: number, retryAfterMs = 0): number {
  const whole = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempt, 16));
  const asked = Math.min(LONGEST_OBEYED_MS, Math.max(0, retryAfterMs));
  return Math.round(asked + whole / 2 + (whole / 2) * dice);
}

/** The wait after the device says that it is online again: short, but not the same for everybody, in milliseconds. */
export function waitAfterOnline(dice: number): number {
  return Math.round(200 + 1_800 * dice);
}

/** Failures in a row of a part of the page itself before the page is fetched anew. */
const MAX_IN_PLACE = 2;

/**
 * Whether failure `attempt` (0 first) of a part of the page itself is answered by fetching the page anew. Some browsers remember that a
 * module did not come and never ask for it again (Firefox, Safari), and a part of yesterday's page may be there no longer. Once:
 * a page that was fetched anew already only asks.
 */
export function startsOver(attempt: number, reloaded: boolean): boolean {
  return attempt === MAX_IN_PLACE && !reloaded;
}

/** `Retry-After` in seconds as milliseconds; zero for none, or a date, which we never send. */
export function retryAfter(header: string | null): number {
  return header !== null && /^\d{1,6}$/.test(header.trim()) ? Number(header) * 1000 : 0;
}

/** What is downloaded side by side. One can fail while another comes. */
export type Download = 'playlist' | 'picture' | 'sound';

/**
 * Which downloads are failing. Each is over its failures when it comes again itself: pictures that come say nothing about a
 * sound that does not, and a lesson needs both.
 */
export class Failing {
  private readonly downloads = new Set<Download>();
  private count = 0;

  /** Notes a failure; the result is how many there were since everything last came. */
  fails(download: Download): number {
    this.downloads.add(download);
    this.count += 1;
    return this.count;
  }

  /** Notes that something came whole; true if nothing is failing any more. */
  comes(download: Download): boolean {
    this.downloads.delete(download);
    if (this.downloads.size > 0) return false;
    this.count = 0;
    return true;
  }
}

/** How long a picture that waits is left to what downloads it, in milliseconds. */
export const STANDSTILL_MS = 8_000;

/** Standstills in a row that are ended by starting over; then a person decides. */
export const MAX_STANDSTILLS = 3;

/** Playing that waits for something to come. Times in milliseconds. */
export interface Wait {
  /** How long the picture has waited. */
  waited: number;
  /** How long ago the last download began, came or failed. */
  quiet: number;
  /** Something is being downloaded. */
  loading: boolean;
  /** An attempt is due, or only a person's press goes on. */
  due: boolean;
  /** The device believes that it has a line. */
  online: boolean;
}

/**
 * Whether nothing is under way that could end a wait. hls.js has ends of that kind: after a failure of the sound alone it may
 * find that every segment there is was taken already, and asks for none any more.
 */
export function standsStill({ waited, quiet, loading, due, online }: Wait): boolean {
  return online && !due && !loading && Math.min(waited, quiet) >= STANDSTILL_MS;
}

/** Decoder failures within this time count together, in milliseconds. */
const MEDIA_WINDOW_MS = 60_000;

export type MediaRemedy =
  /** Give the decoder the same data again. */
  | 'recover'
  /** Start over at the same place with a new decoder. */
  | 'rebuild'
  /** Say so and wait for a person. */
  | 'stop';

/** The remedy for a decoder failure now, given the times of the earlier ones. */
export function mediaRemedy(earlier: readonly number[], now: number): MediaRemedy {
  const recent = earlier.filter((time) => now - time < MEDIA_WINDOW_MS).length;
  if (recent < 2) return 'recover';
  return recent === 2 ? 'rebuild' : 'stop';
}

/** Why something could not be fetched, in the only distinctions that change what a pupil can do. */
export type Trouble =
  /** It is not there: asking again does not help. */
  | 'missing'
  /** The other side is there and cannot answer now. */
  | 'busy'
  /** Nothing answers: the line, or the node. */
  | 'unreachable'
  /** An answer came that makes no sense. */
  | 'damaged';

/** The trouble behind an HTTP status; 0 or undefined where no answer came. */
export function troubleOf(status: number | undefined): Trouble {
  // Not open to us is as not there: asking again at once does not help.
  if (status === 403 || status === 404 || status === 410) return 'missing';
  if (!status || status === 408) return 'unreachable';
  if (status === 429 || status >= 500) return 'busy';
  return 'damaged';
}

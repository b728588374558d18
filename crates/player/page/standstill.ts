/** Notices a picture that waits while nothing is under way that could bring it on. Knows no hls.js: it is told. */

import { standsStill } from './recovery';

/** How often to look, in milliseconds. */
const LOOK_EVERY_MS = 2_000;

/** A download that said nothing for so long was given up without a word: longer than any is allowed to take, in milliseconds. */
const FORGOTTEN_MS = 130_000;

/** `HTMLMediaElement.HAVE_FUTURE_DATA`: it can go on. */
const HAVE_FUTURE_DATA = 3;

/** What of a video is looked at. */
export type Watched = Pick<HTMLVideoElement, 'paused' | 'ended' | 'readyState'>;

/** What the engine around it knows and does. */
export interface Surroundings {
  /** Somebody goes on from here anyway: an attempt is due, or a person is asked. */
  due(): boolean;
  online(): boolean;
  /** Milliseconds since any fixed moment. */
  now(): number;
  /** Playing stands still; called once for each standstill. */
  found(): void;
}

export class Standstill {
  private readonly timer = setInterval(() => this.look(), LOOK_EVERY_MS);
  /** Since when the picture waits, if it does. */
  private waiting: number | undefined;
  /** When the last download began, came or failed. */
  private last: number;
  /** What is being downloaded, and since when. */
  private readonly loading = new Map<string, number>();

  constructor(
    private readonly video: Watched,
    private readonly around: Surroundings,
  ) {
    this.last = around.now();
  }

  /** Everything begins anew; what was being downloaded never comes. */
  restarts(): void {
    this.loading.clear();
    this.begins();
  }

  /** A download begins; of one `type` there is one at a time. None for a playlist. */
  begins(type?: string): void {
    this.last = this.around.now();
    if (type) this.loading.set(type, this.last);
  }

  /** It came, failed or was given up. */
  ends(type?: string): void {
    this.last = this.around.now();
    if (type) this.loading.delete(type);
  }

  destroy(): void {
    clearInterval(this.timer);
  }

  /** Looks now. */
  look(): void {
    const { video, around } = this;
    const now = around.now();
    if (video.paused || video.ended || video.readyState >= HAVE_FUTURE_DATA) {
      this.waiting = undefined;
      return;
    }
    this.waiting ??= now;
    const loading = [...this.loading.values()].some((since) => now - since < FORGOTTEN_MS);
    const wait = { waited: now - this.waiting, quiet: now - this.last, loading, due: around.due(), online: around.online() };
    if (!standsStill(wait)) return;
    this.waiting = undefined;
    around.found();
  }
}

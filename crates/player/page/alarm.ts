/**
 * A wait that the device's sleep does not make longer. Timers stand still while a phone or a laptop sleeps, and in most browsers
 * `performance.now()` with them; the time of day goes on. Only how far that has moved is looked at, never what it says: a device's clock
 * may be wrong by hours.
 */

/** A moment by both of a device's clocks, in milliseconds. */
export interface Moment {
  /** Never jumps, and may stand still. */
  steady: number;
  /** Never stands still, and may be set to anything. */
  wall: number;
}

/**
 * What has passed since then, in milliseconds: by the clock that went further. One that was set forward makes a wait too short, which
 * costs a question; one that stood still would make it too long.
 */
export function passed(since: Moment, now: Moment): number {
  return Math.max(0, now.steady - since.steady, now.wall - since.wall);
}

export function moment(): Moment {
  return { steady: performance.now(), wall: Date.now() };
}

/** How often a wait is looked at, in milliseconds: a device that sleeps with its page in sight tells nobody that it wakes. */
const LOOK_EVERY_MS = 5_000;

/** What is told to a page that slept, was put away or was out of sight. */
const WAKES = ['visibilitychange', 'resume', 'pageshow', 'focus', 'online'];

/** One task that is due later, or none. */
export class Alarm {
  private task: (() => void) | undefined;
  private since: Moment;
  private wait = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private looking: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly now: () => Moment = moment) {
    this.since = now();
  }

  /** A task is due. */
  get isSet(): boolean {
    return this.task !== undefined;
  }

  /** Runs the task after so many milliseconds, in place of what was due. */
  set(wait: number, task: () => void): void {
    this.cancel();
    this.task = task;
    this.since = this.now();
    this.wait = wait;
    // Not only by looks: those are fewer where the page is out of sight.
    this.timer = setTimeout(() => this.ring(), wait);
    if (wait <= LOOK_EVERY_MS) return;
    this.looking = setInterval(this.look, LOOK_EVERY_MS);
    for (const place of places()) for (const event of WAKES) place.addEventListener(event, this.look);
  }

  cancel(): void {
    this.task = undefined;
    clearTimeout(this.timer);
    clearInterval(this.looking);
    for (const place of places()) for (const event of WAKES) place.removeEventListener(event, this.look);
  }

  /** Looks now. */
  readonly look = (): void => {
    if (passed(this.since, this.now()) >= this.wait) this.ring();
  };

  private ring(): void {
    const { task } = this;
    this.cancel();
    task?.();
  }
}

function places(): EventTarget[] {
  return typeof document === 'undefined' ? [] : [document, window];
}

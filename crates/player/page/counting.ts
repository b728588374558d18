/** A lesson counted for a class: notes what plays, and says it in few words, at no telling moment. */

import type { Context } from './context';
import { nothingNoted, parseNotes, play, say, withNotes, wordOf, type ClassNotes, type Noted } from './coverage';
import { h, setText } from './dom';
import { readChoice } from './choice';
import { gradeNumber } from './grouping';
import { isNeverReminded } from './limits';
import type { Store } from './store';
import { KEY } from './class-door';
import { tell } from './tell';
import { classWordsIn } from './words-class';

/**
 * When something is to be said, it is said after between so long and twice that, in milliseconds: a class that began at one
 * bell does not speak at one moment, and a lesson takes a handful of words.
 */
const WAIT_MS = 180_000;

/** The same when a lesson was left. */
const WAIT_LEFT_MS = 20_000;

/** Notes are kept at least so far apart, in milliseconds: storage of cheap phones wears. */
const KEEP_EVERY_MS = 10_000;

/** The class of this device; undefined for none, and for the lower grades. */
export function readClass(context: Pick<Context, 'store'>): ClassNotes | undefined {
  return isNeverReminded(readChoice(context).grade) ? undefined : parseNotes(context.store.read(KEY));
}

/** Counts for a class from now on, and for no other. Whether the device keeps that. */
export function joinClass(store: Store, code: string): boolean {
  return store.write(KEY, { code, lessons: {} } satisfies ClassNotes);
}

/** No class any more, and nothing left of what was noted for it. */
export function leaveClass(store: Store): void {
  store.remove(KEY);
}

export class Counting {
  /** Says that this lesson counts, and for which class. */
  readonly root = h('p', { class: 'counting quiet', role: 'status', hidden: true });
  private noted: Noted = nothingNoted();
  /** Where playing was last looked at; undefined behind a jump. */
  private looked: number | undefined;
  private code: string | undefined;
  private keptAt = 0;
  private timer = 0;
  private duration = 0;

  constructor(private readonly context: Context, private readonly lesson: string, private readonly video: HTMLVideoElement) {}

  /** For which grade the lesson is: one of the lower grades, or of none, is not counted. */
  begin(grade: string): void {
    const notes = readClass(this.context);
    const year = gradeNumber(grade);
    if (!notes || this.code !== undefined || year > 12 || isNeverReminded(year)) return;
    this.code = notes.code;
    this.noted = notes.lessons[this.lesson] ?? nothingNoted();
    setText(this.root, classWordsIn(this.context.language).counted(notes.code));
    this.root.hidden = false;
    this.video.addEventListener('timeupdate', this.look);
    for (const event of ['seeking', 'ended', 'pause']) this.video.addEventListener(event, this.look);
    window.addEventListener('pagehide', this.sayNow);
    document.addEventListener('visibilitychange', this.sayNow);
  }

  /** The lesson is left. What is to be said is said soon, from the list. */
  close(): void {
    this.keep();
    this.video.removeEventListener('timeupdate', this.look);
    for (const event of ['seeking', 'ended', 'pause']) this.video.removeEventListener(event, this.look);
    if (wordOf(this.noted, this.duration)) this.sayAfter(WAIT_LEFT_MS);
    else this.done();
  }

  private readonly look = (event: Event): void => {
    const { currentTime, duration, seeking } = this.video;
    if (!(duration > 0) || event.type === 'seeking' || seeking) {
      this.looked = undefined;
      return;
    }
    this.duration = duration;
    if (!play(this.noted, this.looked, currentTime)) {
      this.looked = currentTime;
      return;
    }
    this.looked = currentTime;
    if (performance.now() - this.keptAt >= KEEP_EVERY_MS) this.keep();
    if (!this.timer && wordOf(this.noted, duration)) this.sayAfter(WAIT_MS);
  };

  private sayAfter(wait: number): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.speak(), wait * (1 + Math.random()));
  }

  /** The page is being left, and may not come back. */
  private readonly sayNow = (event: Event): void => {
    if (event.type === 'pagehide' || document.visibilityState === 'hidden') this.speak();
  };

  private speak(): void {
    window.clearTimeout(this.timer);
    this.timer = 0;
    const word = this.isStillCounted() ? wordOf(this.noted, this.duration) : undefined;
    if (!word) return;
    say(this.noted, word);
    // First kept, then said: a word may be lost, and is not said twice.
    this.keep();
    void tell('/coverage', { class: this.code, lesson: this.lesson, ...word });
  }

  private keep(): void {
    const notes = readClass(this.context);
    if (!notes || notes.code !== this.code || this.noted.played.length === 0) return;
    this.keptAt = performance.now();
    this.noted.at = Date.now();
    this.context.store.write(KEY, withNotes(notes, this.lesson, this.noted));
  }

  /** Who has left the class meanwhile says nothing more. */
  private isStillCounted(): boolean {
    return this.code !== undefined && readClass(this.context)?.code === this.code;
  }

  private done(): void {
    window.clearTimeout(this.timer);
    window.removeEventListener('pagehide', this.sayNow);
    document.removeEventListener('visibilitychange', this.sayNow);
  }
}

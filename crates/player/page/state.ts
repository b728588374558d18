/**
 * What the page is doing, in one place: its own readout draws from it, and `window.airclass` shows it, read-only, to
 * whoever looks from outside (the browser tests, a teacher with the console open).
 */

import type { Mode } from './mode';

/** A rung of the ladder. */
export interface Level {
  readonly index: number;
  /** Zero for sound alone. */
  readonly width: number;
  readonly height: number;
  /** Average, video and audio, in bits per second. */
  readonly bitRate: number;
  /** RFC 6381 name of its pictures' format; empty where the system plays and does not say. */
  readonly codec: string;
}

export type Phase =
  /** No lesson is open. */
  | 'idle'
  /** A lesson is being opened; there is no picture yet. */
  | 'opening'
  | 'paused'
  | 'playing'
  /** Playing is wanted and the buffer is dry. */
  | 'buffering'
  | 'ended'
  /** Something must be done about an error first. */
  | 'stopped';

export interface LoggedError {
  /** Milliseconds since the page was opened. */
  readonly at: number;
  readonly kind: 'network' | 'media' | 'other';
  /** The engine's own word for it. */
  readonly detail: string;
  /** HTTP status where there was one, else 0. */
  readonly status: number;
  /** Loading or decoding ended with it and had to be started again. */
  readonly fatal: boolean;
}

/** How many errors are kept; older ones are dropped. */
export const MAX_ERRORS = 20;

/** `window.airclass`: each property is read at the moment it is asked for. */
export interface View {
  /** The open lesson's id, or null in the list. */
  readonly lesson: string | null;
  /** What plays it. */
  readonly engine: 'hls.js' | 'native' | null;
  readonly phase: Phase;
  /** What is fetched. */
  readonly mode: Mode;
  readonly playing: boolean;
  /** Seconds. */
  readonly position: number;
  /** Seconds; zero until known. */
  readonly duration: number;
  /** Seconds downloaded ahead of the position. */
  readonly buffered: number;
  /** The rungs, lowest first; empty where the system chooses by itself. */
  readonly levels: readonly Level[];
  /** The rung on screen. */
  readonly level: Level | null;
  /** Whether the page chooses the rung. */
  readonly auto: boolean;
  /** The index of the rung that was chosen by hand, else null. */
  readonly chosen: number | null;
  /** The folder of the lesson's package, once it is known. */
  readonly package: string | null;
  /** How often playing stood still for want of data. */
  readonly stalls: number;
  /** Bytes that this lesson has taken from the network; null where the browser does not say. */
  readonly bytes: number | null;
  /** What is wrong with the open lesson, as `crates/feedback` names it; null where nothing is. */
  readonly fault: string | null;
  /** The latest errors, oldest first. */
  readonly errors: readonly LoggedError[];
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const START: View = {
  lesson: null, engine: null, phase: 'idle', mode: 'auto', playing: false, position: 0, duration: 0, buffered: 0,
  levels: [], level: null, auto: true, chosen: null, package: null, stalls: 0, bytes: null, fault: null, errors: [],
};

export class State {
  private readonly values: Mutable<View> = { ...START };
  private readonly listeners = new Set<() => void>();

  get now(): View {
    return this.values;
  }

  /** Changes some values and tells the listeners if any of them differs. */
  set(change: Partial<View>): void {
    let changed = false;
    for (const key of Object.keys(change) as (keyof View)[]) changed = changed || this.values[key] !== change[key];
    if (!changed) return;
    Object.assign(this.values, change);
    this.values.playing = this.values.phase === 'playing';
    this.values.auto = this.values.chosen === null;
    for (const listener of this.listeners) listener();
  }

  log(error: LoggedError): void {
    this.set({ errors: Object.freeze([...this.values.errors, Object.freeze(error)].slice(-MAX_ERRORS)) });
  }

  /** Back to the list. */
  reset(): void {
    this.set(START);
  }

  /** Calls `listener` after each change; the result ends that. */
  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The read-only window on these values. */
  view(): View {
    const view = {};
    for (const key of Object.keys(START) as (keyof View)[]) {
      Object.defineProperty(view, key, { enumerable: true, get: () => this.values[key] });
    }
    return Object.freeze(view) as View;
  }
}

/** Where a pupil stopped in each lesson. Kept on the device only, for a bounded number of lessons. */

import type { Store } from './store';

/** One lesson's place. */
export interface Position {
  id: string;
  /** What the list shows before the catalogue has arrived. */
  title: string;
  /** Seconds from the start. */
  at: number;
  /** Seconds in all. */
  of: number;
  /** Watched to the end: opens from the start again. */
  done: boolean;
}

/** How many lessons are remembered; the one longest untouched is forgotten first. About 25 kB of storage. */
export const MAX_POSITIONS = 200;

/** Nearer to the start than this there is nothing worth resuming, in seconds. */
const WORTH_RESUMING_S = 10;

/** Nearer to the end than this a lesson counts as watched, in seconds. */
const COUNTS_AS_DONE_S = 15;

const KEY = 'positions';

export class Positions {
  constructor(private readonly store: Store) {}

  /** All, the most recent first. */
  all(): Position[] {
    const stored = this.store.read(KEY);
    return Array.isArray(stored) ? stored.filter(isPosition).slice(0, MAX_POSITIONS) : [];
  }

  find(id: string): Position | undefined {
    return this.all().find((position) => position.id === id);
  }

  /** Seconds to start a lesson at; zero for the beginning. */
  resumeAt(id: string): number {
    const position = this.find(id);
    return position && !position.done ? position.at : 0;
  }

  /** Notes a place in a lesson; nothing before there is something to resume. */
  note(id: string, title: string, at: number, of: number): void {
    if (!Number.isFinite(at) || !Number.isFinite(of) || of <= 0) return;
    const others = this.all().filter((position) => position.id !== id);
    if (at < Math.min(WORTH_RESUMING_S, of / 4)) return;
    const done = at >= of - Math.min(COUNTS_AS_DONE_S, of / 4);
    const position = { id, title, at: Math.floor(at * 10) / 10, of: Math.floor(of * 10) / 10, done };
    this.store.write(KEY, [position, ...others].slice(0, MAX_POSITIONS));
  }

  forget(id: string): void {
    this.store.write(KEY, this.all().filter((position) => position.id !== id));
  }

  clear(): void {
    this.store.remove(KEY);
  }
}

function isPosition(value: unknown): value is Position {
  if (typeof value !== 'object' || value === null) return false;
  const { id, title, at, of, done } = value as Record<string, unknown>;
  return typeof id === 'string' && typeof title === 'string' && typeof at === 'number' && typeof of === 'number' && typeof done === 'boolean';
}

/** What begins at which second of a lesson: slides, chapters, small pictures. Pure. */

/** Something that counts from here until the next. */
export interface Entry {
  /** Seconds. */
  at: number;
}

/** The place of the one that counts at `time`, in a list in order of time; -1 where none does yet. */
export function entryAt(entries: readonly Entry[], time: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle]!.at <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

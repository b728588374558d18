/** What sections are given each time something is known. */

import type { History } from './history';
import type { Status } from './source';
import type { Language, Words } from './words';

export interface View {
  status: Status;
  history: History;
  /** The node's clock, in milliseconds since 1970. */
  now: number;
}

export interface Section {
  element: HTMLElement;
  update(view: View): void;
  /** Each second between: what depends on the time alone. */
  tick?(view: View): void;
  /** The colours have changed. */
  redraw?(): void;
}

export type MakeSection = (words: Words, language: Language) => Section;

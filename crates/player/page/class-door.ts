/** The way to 班级学情 from the home page. What is behind it is fetched by those who open it. */

import { adviceBox } from './advice';
import { readChoice } from './choice';
import type { Context } from './context';
import { h, replace } from './dom';
import { isNeverReminded } from './limits';
import { fetchPart, pageAnew } from './part';
import type { Store } from './store';
import { homeWordsIn } from './words-home';

/** Under which the class of this device is kept. */
export const KEY = 'class';

/** Forgets which minutes were seen, and stays with the class. */
export function forgetSeen(store: Store): void {
  const { code } = (store.read(KEY) ?? {}) as Record<string, unknown>;
  if (code !== undefined) store.write(KEY, { code, lessons: {} });
}

export class ClassDoor {
  readonly root: HTMLDetailsElement;
  private readonly body = h('div');
  private filled = false;
  /** Ends the asking for it. */
  private stop = (): void => undefined;

  constructor(private readonly context: Pick<Context, 'language' | 'store' | 'words'>) {
    this.root = h('details', { class: 'class', hidden: true, ontoggle: () => this.toggle() }, h('summary', {}, homeWordsIn(context.language).classTitle), this.body);
    this.draw();
  }

  /** Nothing is offered to the lower grades, and what was given before their grade was chosen is forgotten. */
  draw(): void {
    const { store } = this.context;
    const lower = isNeverReminded(readChoice(this.context).grade);
    if (lower) store.remove(KEY);
    this.root.hidden = lower;
  }

  private toggle(): void {
    this.stop();
    if (!this.root.open || this.filled) return;
    const { words } = this.context;
    const isWanted = (): boolean => this.root.open && !this.filled;
    this.stop = fetchPart(
      () => import('./class'),
      ({ fillClass }) => {
        this.filled = true;
        fillClass(this.context, this.body);
      },
      // The page goes on without it: it is fetched anew, which some browsers need, by whoever presses the button.
      (attempt) => attempt === 0 && replace(this.body, adviceBox(words.partTrouble, words.retry, () => void pageAnew(isWanted), 'part')),
    );
  }
}

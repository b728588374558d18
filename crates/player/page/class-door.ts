/** The way to 班级学情 from the home page. What is behind it is fetched by those who open it. */

import { readChoice } from './choice';
import type { Context } from './context';
import { h } from './dom';
import { isNeverReminded } from './limits';
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

  constructor(private readonly context: Pick<Context, 'language' | 'store'>) {
    this.root = h('details', { class: 'class', hidden: true, ontoggle: () => void this.open() }, h('summary', {}, homeWordsIn(context.language).classTitle), this.body);
    this.draw();
  }

  /** Nothing is offered to the lower grades, and what was given before their grade was chosen is forgotten. */
  draw(): void {
    const { store } = this.context;
    const lower = isNeverReminded(readChoice(this.context).grade);
    if (lower) store.remove(KEY);
    this.root.hidden = lower;
  }

  private async open(): Promise<void> {
    if (!this.root.open || this.body.firstChild) return;
    try {
      const { fillClass } = await import('./class');
      fillClass(this.context, this.body);
    } catch {
      // It did not arrive; another press asks again.
      this.root.open = false;
    }
  }
}

/** A button that opens a short list of choices, one of which is taken. */

import { h, icon, replace, setAttribute, setText } from './dom';

export interface Choice<T> {
  value: T;
  name: string;
  /** A second, quieter line. */
  note?: string;
}

/** Whether one item can stand for both: they take the same and have as many lines. */
function isLike<T>(choice: Choice<T>, other: Choice<T> | undefined): boolean {
  return choice.value === other?.value && (choice.note === undefined) === (other?.note === undefined);
}

export class Menu<T> {
  readonly root: HTMLElement;
  private readonly button: HTMLButtonElement;
  private readonly face: HTMLElement;
  /** What the face says beside it where there is room. */
  private readonly detail: HTMLElement;
  private readonly list: HTMLElement;
  private choices: readonly Choice<T>[] = [];
  private taken: T | undefined;

  constructor(private readonly label: string, name: string, private readonly take: (value: T) => void) {
    this.face = h('span', { class: 'menu-face' });
    this.detail = h('span', { class: 'menu-face menu-detail' });
    this.button = h(
      'button',
      { type: 'button', class: 'control menu-button', 'aria-haspopup': 'menu', 'aria-expanded': 'false', onclick: () => this.toggle() },
      this.face,
      this.detail,
    );
    this.list = h('div', { class: 'menu-list', role: 'menu', 'aria-label': label, hidden: true, onkeydown: (event: KeyboardEvent) => this.onKey(event) });
    this.root = h('div', { class: 'menu', 'data-menu': name }, this.button, this.list);
    this.button.addEventListener('keydown', (event) => {
      if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return;
      event.preventDefault();
      event.stopPropagation();
      this.open();
    });
    document.addEventListener('pointerdown', this.onOutside);
    this.root.addEventListener('focusout', (event) => {
      if (event.relatedTarget instanceof Node && !this.root.contains(event.relatedTarget)) this.close(false);
    });
  }

  get isOpen(): boolean {
    return !this.list.hidden;
  }

  /** What the closed button shows, and what is taken in the open list. */
  show(face: string, taken: T, enabled = true, detail = ''): void {
    setText(this.face, face);
    setText(this.detail, detail);
    setAttribute(this.button, 'aria-label', `${this.label}: ${face}${detail}`);
    setAttribute(this.button, 'title', this.label);
    this.button.disabled = !enabled;
    this.taken = taken;
    this.mark();
  }

  /**
   * What can be taken. Where only words differ they change in place, and in an open list the focus stays: a press that
   * has begun must not end on an item that is gone.
   */
  offer(choices: readonly Choice<T>[]): void {
    const sameItems = choices.length === this.choices.length && choices.every((choice, index) => isLike(choice, this.choices[index]));
    const focused = this.choices[this.items().indexOf(document.activeElement as HTMLButtonElement)];
    this.choices = choices;
    if (sameItems) {
      this.items().forEach((item, index) => {
        const { name, note } = choices[index]!;
        setText(item.querySelector('.menu-name')!, name);
        if (note !== undefined) setText(item.querySelector('.menu-note')!, note);
      });
      return this.mark();
    }
    replace(
      this.list,
      ...choices.map((choice) =>
        h(
          'button',
          { type: 'button', role: 'menuitemradio', tabindex: -1, 'data-value': String(choice.value), onclick: () => this.pick(choice) },
          icon('check'),
          h('span', { class: 'menu-name' }, choice.name),
          choice.note !== undefined && h('span', { class: 'menu-note' }, choice.note),
        ),
      ),
    );
    this.mark();
    if (this.isOpen && focused) this.focus(choices.findIndex((choice) => choice.value === focused.value));
  }

  close(refocus = true): void {
    if (!this.isOpen) return;
    this.list.hidden = true;
    setAttribute(this.button, 'aria-expanded', 'false');
    if (refocus) this.button.focus();
  }

  destroy(): void {
    document.removeEventListener('pointerdown', this.onOutside);
  }

  private items(): HTMLButtonElement[] {
    return [...this.list.querySelectorAll('button')];
  }

  private mark(): void {
    this.items().forEach((item, index) => setAttribute(item, 'aria-checked', this.choices[index]?.value === this.taken ? 'true' : 'false'));
  }

  private toggle(): void {
    if (this.isOpen) this.close();
    else this.open();
  }

  private open(): void {
    this.list.hidden = false;
    setAttribute(this.button, 'aria-expanded', 'true');
    this.focus(-1);
  }

  /** Goes to one item; where there is none at that place, to what is taken. */
  private focus(at: number): void {
    const items = this.items();
    (items[at] ?? items.find((item) => item.getAttribute('aria-checked') === 'true') ?? items[0])?.focus();
  }

  private pick(choice: Choice<T>): void {
    this.close();
    this.take(choice.value);
  }

  private onKey(event: KeyboardEvent): void {
    const items = this.items();
    const at = items.indexOf(document.activeElement as HTMLButtonElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (event.key === 'Tab') return this.close(false);
    // Enter and Space press the item by themselves; neither they nor the arrows reach the player behind the menu.
    if (event.key === 'Enter' || event.key === ' ') return event.stopPropagation();
    if (to !== undefined) items[(to + items.length) % items.length]?.focus();
    else if (event.key === 'Escape') this.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private readonly onOutside = (event: Event): void => {
    if (!this.root.contains(event.target as Node)) this.close(false);
  };
}

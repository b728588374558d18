/** The table of keys. */

import { h } from './dom';
import type { Words } from './words';

export class Help {
  readonly root: HTMLDialogElement;

  constructor(words: Words) {
    const rows = words.shortcuts.map(([keys, meaning]) =>
      h('tr', {}, h('th', { scope: 'row' }, ...keys.split(' / ').flatMap((key, index) => [index > 0 && ' ', h('kbd', {}, key)])), h('td', {}, meaning)),
    );
    this.root = h(
      'dialog',
      {
        class: 'help', 'aria-label': words.help,
        // A press outside the table lands on the dialog itself.
        onclick: (event: MouseEvent) => event.target === this.root && this.close(),
        onkeydown: (event: KeyboardEvent) => {
          if (event.key === '?' || event.key === '？') this.close();
          event.stopPropagation();
        },
      },
      h(
        'div',
        { class: 'help-body' },
        h('h2', {}, words.help),
        h('table', {}, h('tbody', {}, ...rows)),
        h('button', { type: 'button', class: 'button', onclick: () => this.close() }, words.close),
      ),
    );
  }

  toggle(): void {
    if (this.root.open) this.close();
    // Browsers of before 2022 know the element only as a box to show.
    else if (typeof this.root.showModal === 'function') this.root.showModal();
    else this.root.setAttribute('open', '');
  }

  private close(): void {
    if (typeof this.root.close === 'function') this.root.close();
    else this.root.removeAttribute('open');
  }
}

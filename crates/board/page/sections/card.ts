/** A titled box. */

import { h, type Child } from '../dom';

let count = 0;

export function card(name: string, title: string, ...children: Child[]): HTMLElement {
  const id = `h${(count += 1)}`;
  return h('section', { class: `card ${name}`, 'aria-labelledby': id }, h('h2', { id }, title), ...children);
}

/** A figure and what it is. */
export function figure(name: string, label: string, note?: string): HTMLElement {
  return h(
    'div',
    { class: `figure ${name}` },
    h('dt', {}, label, note ? h('span', { class: 'note' }, note) : false),
    h('dd', { class: 'value' }, '–'),
  );
}

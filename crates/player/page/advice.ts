/** What is wrong on a page that cannot be shown, and what to do, with a button that does it. */

import { h, type Child } from './dom';
import type { Advice } from './words';

/** `name` is by which tests and styles know it; `more` stands below the button. */
export function adviceBox({ what, help }: Advice, action: string, act: () => void, name: string, ...more: Child[]): HTMLElement {
  return h(
    'div',
    { class: 'advice', role: 'alert', 'data-advice': name },
    h('p', { class: 'advice-what' }, what),
    h('p', {}, help),
    h('button', { type: 'button', class: 'button primary', 'data-control': 'retry', onclick: act }, action),
    ...more,
  );
}

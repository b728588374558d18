/** Where the focus is, as far as keys go. */

import type { Focus } from './shortcuts';

/** What kind of control has the focus, as far as keys go. */
export function focusOf(target: EventTarget | null): Focus {
  if (!(target instanceof HTMLElement)) return 'page';
  if (target instanceof HTMLInputElement) {
    if (target.type !== 'range') return 'text';
    // The arrows mean the same on the position slider as everywhere; on the volume they move the volume.
    return target.classList.contains('seek') ? 'page' : 'slider';
  }
  if (target instanceof HTMLTextAreaElement || target.isContentEditable) return 'text';
  return target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement ? 'button' : 'page';
}

/** Building elements without strings of HTML, so that no text from outside can ever become markup. */

type Value = string | number | boolean | undefined;

export type Child = Node | string | undefined | false;

/** Attributes by name (false and undefined leave one out), and `on…` listeners. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, Value | (() => void)> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else set(element, name, value);
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

/** Sets, or for false and undefined removes, an attribute; touches the page only where something changes. */
export function set(element: Element, name: string, value: Value): void {
  if (value === false || value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value === true ? '' : String(value));
}

/** Replaces an element's text only where it differs: a screen reader is not told the same thing twice. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Makes `list` hold a row for each of `items`: old rows are kept and brought up to date, so that nothing flickers. */
export function rows<T>(list: Element, items: readonly T[], make: () => Element, fill: (row: Element, item: T) => void): void {
  while (list.children.length > items.length) list.lastElementChild?.remove();
  while (list.children.length < items.length) list.append(make());
  items.forEach((item, index) => fill(list.children[index] as Element, item));
}

/** The first element below `parent` of this class. */
export function part(parent: Element, name: string): HTMLElement {
  return parent.getElementsByClassName(name)[0] as HTMLElement;
}

/** A bar that is `share` full; what it says is beside it in words. */
export function bar(): HTMLElement {
  return h('div', { class: 'bar', 'aria-hidden': 'true' }, h('div'));
}

export function fill(bar: Element, share: number): void {
  const inner = bar.firstElementChild as HTMLElement;
  inner.style.width = `${(Math.min(Math.max(share, 0), 1) * 100).toFixed(2)}%`;
}

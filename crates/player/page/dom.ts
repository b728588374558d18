/** Building elements without strings of HTML, so that no text from outside can ever become markup. */

type Value = string | number | boolean | undefined;

/** Attributes by name (false and undefined leave one out), and `on…` listeners. */
export type Attributes = Record<string, Value | ((event: never) => void)>;

export type Child = Node | string | undefined | false;

export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value as EventListener);
    else setAttribute(element, name, value);
  }
  append(element, children);
  return element;
}

/** Sets, or for false and undefined removes, an attribute; touches the page only where something changes. */
export function setAttribute(element: Element, name: string, value: Value): void {
  // What is true of HTML is so by being there; ARIA wants the word, and takes an empty one for nothing.
  const text = value === true && name.slice(0, 5) !== 'aria-' ? '' : String(value);
  if (value === false || value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

/** Replaces an element's text only where it differs: a screen reader is not told the same thing twice. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function replace(element: Element, ...children: Child[]): void {
  element.textContent = '';
  append(element, children);
}

/** The same where somebody may be with the keyboard: it stays on what does the same, or else on the first that can be pressed. */
export function replaceUnderHand(element: Element, ...children: Child[]): void {
  const { activeElement } = document;
  const isThere = element.contains(activeElement);
  const name = isThere && ((activeElement as HTMLElement).dataset.control ?? activeElement!.getAttribute('href'));
  replace(element, ...children);
  if (isThere) (element.querySelector<HTMLElement>(`[data-control="${name}"], [href="${name}"]`) ?? element.querySelector<HTMLElement>('button, a'))?.focus();
}

function append(element: Element, children: Child[]): void {
  for (const child of children) if (child) element.append(child);
}

const SVG = 'http://www.w3.org/2000/svg';

/** A 24×24 line drawing; it says nothing to a screen reader, its button does. */
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  svg.append(path);
  setIcon(svg, name);
  return svg;
}

/** Changes a drawing in place. */
export function setIcon(svg: SVGSVGElement, name: IconName): void {
  if (svg.dataset.icon === name) return;
  svg.dataset.icon = name;
  svg.firstElementChild?.setAttribute('d', ICONS[name]);
}

export type IconName = keyof typeof ICONS;

const ICONS = {
  play: 'M8 5.5v13l11-6.5z',
  pause: 'M7.2 5.8h3v12.4h-3zM13.8 5.8h3v12.4h-3z',
  replay: 'M5 12a7 7 0 1 0 2.2-5.1M5 4v4h4',
  sound: 'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11',
  silent: 'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5',
  enlarge: 'M4.5 9.5v-5h5M19.5 9.5v-5h-5M4.5 14.5v5h5M19.5 14.5v5h-5',
  shrink: 'M9.5 4.5v5h-5M14.5 4.5v5h5M9.5 19.5v-5h-5M14.5 19.5v-5h5',
  keyboard: 'M3.5 7h17v10h-17zM7 10.2h.01M10.3 10.2h.01M13.7 10.2h.01M17 10.2h.01M8.5 13.8h7',
  back: 'M14.5 5.5L8 12l6.5 6.5',
  search: 'M10.5 4.5a6 6 0 1 0 0 12a6 6 0 0 0 0-12M15 15l5 5',
  check: 'M5 12.5l4.5 4.5L19 7.5',
} as const;

/**
 * What the page uses and browsers of 2016 (Chrome 49, WebViews of Android 5 and 6) do not know. No more than that: the test
 * `legacy.test.ts` holds the list against the script. The page's modules need most of it, too: modules are older (Chrome 61) than
 * `flatMap` (69) or `Object.fromEntries` (73), and phones whose WebView nobody renews stay what they were when they were sold.
 */

import './abort';
import './keys';
import './pointer';

fill(Object, 'entries', (object: object) => Object.keys(object).map((key) => [key, (object as Record<string, unknown>)[key]]));
fill(Object, 'values', (object: object) => Object.keys(object).map((key) => (object as Record<string, unknown>)[key]));
fill(Object, 'fromEntries', (entries: Iterable<[string, unknown]>) => {
  const object: Record<string, unknown> = {};
  for (const [key, value] of entries) object[key] = value;
  return object;
});

fill(Array.prototype, 'flat', function (this: unknown[]) {
  return ([] as unknown[]).concat(...this);
});
fill(Array.prototype, 'flatMap', function (this: unknown[], made: (value: unknown, index: number) => unknown) {
  return ([] as unknown[]).concat(...this.map((value, index) => made(value, index)));
});
fill(Array.prototype, 'at', at);
fill(String.prototype, 'at', at);

fill(String.prototype, 'padStart', function (this: string, length: number, filler = ' ') {
  return this.length >= length ? String(this) : filler.repeat(length).slice(0, length - this.length) + this;
});
fill(String.prototype, 'padEnd', function (this: string, length: number, filler = ' ') {
  return this.length >= length ? String(this) : this + filler.repeat(length).slice(0, length - this.length);
});

fill(Promise.prototype, 'finally', function (this: Promise<unknown>, done: () => void) {
  return this.then(
    (value) => Promise.resolve(done()).then(() => value),
    (error) => Promise.resolve(done()).then(() => Promise.reject(error)),
  );
});

for (const kind of [Element, Document, DocumentFragment]) {
  fill(kind.prototype, 'append', function (this: ParentNode & Node, ...children: (Node | string)[]) {
    for (const child of children) this.appendChild(node(child));
  });
  fill(kind.prototype, 'prepend', function (this: ParentNode & Node, ...children: (Node | string)[]) {
    for (const child of children.reverse()) this.insertBefore(node(child), this.firstChild);
  });
  fill(kind.prototype, 'replaceChildren', function (this: ParentNode & Node, ...children: (Node | string)[]) {
    this.textContent = '';
    for (const child of children) this.appendChild(node(child));
  });
}
fill(Element.prototype, 'toggleAttribute', function (this: Element, name: string, wanted = !this.hasAttribute(name)) {
  if (wanted) this.setAttribute(name, '');
  else this.removeAttribute(name);
  return wanted;
});
fill(Element.prototype, 'before', function (this: Element, ...children: (Node | string)[]) {
  for (const child of children) this.parentNode?.insertBefore(node(child), this);
});
fill(Element.prototype, 'after', function (this: Element, ...children: (Node | string)[]) {
  for (const child of children.reverse()) this.parentNode?.insertBefore(node(child), this.nextSibling);
});
fill(Element.prototype, 'replaceWith', function (this: Element, ...children: (Node | string)[]) {
  this.before(...children);
  this.remove();
});

for (const kind of [NodeList, HTMLCollection]) fill(kind.prototype, Symbol.iterator, Array.prototype[Symbol.iterator]);
fill(NodeList.prototype, 'forEach', Array.prototype.forEach);

function at(this: ArrayLike<unknown>, index: number): unknown {
  return this[index < 0 ? this.length + index : index];
}

function node(child: Node | string): Node {
  return typeof child === 'string' ? document.createTextNode(child) : child;
}

/** Defines what is not there. */
function fill(place: object, name: string | symbol, value: unknown): void {
  if (!(name in place)) Object.defineProperty(place, name, { value, writable: true, configurable: true });
}

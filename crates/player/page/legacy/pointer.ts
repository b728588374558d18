/** The pointer's events where there are none (before Chrome 55), out of those of mouse and finger. */

const PAIRS: [string, string][] = [
  ['mousedown', 'pointerdown'], ['touchstart', 'pointerdown'], ['mousemove', 'pointermove'], ['touchmove', 'pointermove'],
];

if (typeof PointerEvent === 'undefined') {
  for (const [old, name] of PAIRS) {
    document.addEventListener(
      old,
      ({ target }) => target?.dispatchEvent(new Event(name, { bubbles: true })),
      { capture: true, passive: true } as AddEventListenerOptions & boolean,
    );
  }
}

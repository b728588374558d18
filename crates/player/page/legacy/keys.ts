/** `KeyboardEvent.key` where there is none (before Chrome 51), for the keys that the page knows. */

const NAMED: Record<number, string> = {
  8: 'Backspace', 9: 'Tab', 13: 'Enter', 27: 'Escape', 32: ' ', 35: 'End', 36: 'Home',
  37: 'ArrowLeft', 38: 'ArrowUp', 39: 'ArrowRight', 40: 'ArrowDown',
};
/** Keys that bear another sign with Shift. */
const MARKS: Record<number, [string, string]> = { 188: [',', '<'], 190: ['.', '>'], 191: ['/', '?'] };

if (!('key' in KeyboardEvent.prototype)) {
  Object.defineProperty(KeyboardEvent.prototype, 'key', {
    configurable: true,
    get(this: KeyboardEvent): string {
      const code = this.keyCode;
      const mark = MARKS[code];
      if (mark) return mark[this.shiftKey ? 1 : 0];
      const sign = String.fromCharCode(code);
      return NAMED[code] ?? (/^[0-9A-Z]$/.test(sign) ? (this.shiftKey ? sign : sign.toLowerCase()) : 'Unidentified');
    },
  });
}

import { parse, type Node } from 'acorn';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

/** `npm test` builds the page first, and runs here. */
const ASSETS = 'dist/assets';

/** Methods younger than Chrome 49. Those that the script calls must be filled in by polyfills.ts. */
const YOUNG = [
  'flat', 'flatMap', 'at', 'findLast', 'findLastIndex', 'toSorted', 'toReversed', 'padStart', 'padEnd', 'trimStart', 'trimEnd', 'matchAll',
  'replaceAll', 'fromEntries', 'entries', 'values', 'finally', 'allSettled', 'any', 'append', 'prepend', 'replaceChildren', 'replaceWith', 'before', 'after',
  'toggleAttribute', 'getOwnPropertyDescriptors', 'hasOwn', 'randomUUID', 'structuredClone', 'scrollTo', 'arrayBuffer', 'stream', 'text', 'formatToParts',
];

/** Of these names, the ones that are something else in the script, or are asked for before they are called. */
const OLD_ENOUGH = new Set([
  'text', // of a fetch, which Chrome 42 has; blobs have it only later and are not asked
  'scrollTo', // of the window
  'arrayBuffer', // of a fetch
  'randomUUID', // of hls.js, in a function that we never call
]);

const script = (): string => {
  const name = readdirSync(ASSETS).find((file) => file.startsWith('legacy-') && file.endsWith('.js'));
  return readFileSync(`${ASSETS}/${name}`, 'utf8');
};

test('the script for old browsers is ES5 from end to end', () => {
  assert.doesNotThrow(() => parse(script(), { ecmaVersion: 5 }));
});

test('what it calls is in Chrome 49, or brought along', () => {
  const called = new Set<string>();
  walk(parse(script(), { ecmaVersion: 5 }), (node) => {
    const { type, callee } = node as Node & { callee?: { type: string; property?: { name?: string } } };
    if (type === 'CallExpression' && callee?.type === 'MemberExpression' && callee.property?.name) called.add(callee.property.name);
  });
  const filled = readFileSync('page/legacy/polyfills.ts', 'utf8');
  const missing = YOUNG.filter((name) => called.has(name) && !OLD_ENOUGH.has(name) && !filled.includes(`'${name}'`));
  assert.deepEqual(missing, []);
});

function walk(value: unknown, seen: (node: Node) => void): void {
  if (Array.isArray(value)) return value.forEach((child) => walk(child, seen));
  if (typeof value !== 'object' || value === null || !('type' in value)) return;
  seen(value as Node);
  for (const child of Object.values(value)) walk(child, seen);
}

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

/** What the browser itself would have to bring, younger than Chrome 49 or Safari 12, and that nothing here stands in for. Not `ResizeObserver`: hls.js asks whether it is there. */
const NOT_BROUGHT = new Set([
  'AbortSignal', 'BigInt', 'BroadcastChannel', 'CompressionStream', 'DecompressionStream', 'FinalizationRegistry', 'IntersectionObserver',
  'TextDecoderStream', 'WeakRef', 'globalThis', 'queueMicrotask', 'structuredClone',
]);

/** Of these names, the ones that are something else in the script, or are asked for before they are called. */
const OLD_ENOUGH = new Set([
  'text', // of a fetch, which Chrome 42 has; blobs have it only later and are not asked
  'scrollTo', // of the window
  'arrayBuffer', // of a fetch
  'randomUUID', // of hls.js, in a function that we never call
]);

const scripts = (): string[] => readdirSync(ASSETS).filter((file) => file.endsWith('.js') && file !== 'worker.js');

const named = (name: string): string => readFileSync(`${ASSETS}/${scripts().find((file) => file.startsWith(`${name}-`))}`, 'utf8');

const script = (): string => named('legacy');

/** The page's modules, with `import()` written as something that was known before it: nothing else in them is younger than 2018. */
const modules = (): string[] =>
  scripts().filter((file) => !file.startsWith('legacy-')).map((file) => readFileSync(`${ASSETS}/${file}`, 'utf8').replace(/\bimport\(/g, 'fetched('));

test('the script for old browsers is ES5 from end to end', () => {
  assert.doesNotThrow(() => parse(script(), { ecmaVersion: 5 }));
});

test('what it calls is in Chrome 49, or brought along', () => {
  const called = calledIn(parse(script(), { ecmaVersion: 5 }));
  const filled = readFileSync('page/legacy/polyfills.ts', 'utf8');
  const missing = YOUNG.filter((name) => called.has(name) && !OLD_ENOUGH.has(name) && !filled.includes(`'${name}'`));
  assert.deepEqual(missing, []);
});

test('no script names what those browsers would have to bring themselves', () => {
  const named = new Set<string>();
  const note = (node: Node): void => {
    const { type, name } = node as Node & { name?: string };
    if (type === 'Identifier' && name && NOT_BROUGHT.has(name)) named.add(name);
  };
  walk(parse(script(), { ecmaVersion: 5 }), note);
  for (const module of modules()) walk(parse(module, { ecmaVersion: 2018, sourceType: 'module' }), note);
  assert.deepEqual([...named], []);
});

test('where its style says what those browsers pass over, it has said before what they know', () => {
  const style = readFileSync(`${ASSETS}/${readdirSync(ASSETS).find((file) => /^style-.*\.css$/.test(file))}`, 'utf8');
  assert.doesNotMatch(style, /\b(margin|padding)-(block|inline)|[;{]inset/);
  // Comparisons are of 2019. Sizes may be passed over; what has no place is out of the screen, and what has no padding on its edge.
  for (const [, rule] of style.matchAll(/\{([^{}]*)\}/g)) {
    const said = new Set<string>();
    for (const declaration of rule!.split(';')) {
      const [property, value] = declaration.split(':');
      if (!/\b(min|max|clamp)\(/.test(value ?? '')) said.add(property!);
      else if (/^(padding|bottom|max-height)/.test(property!)) assert.ok(said.has(property!), declaration);
    }
  }
});

test('browsers that know modules and are as old as 2017 are brought the same', () => {
  const called = new Set<string>();
  for (const module of modules()) for (const name of calledIn(parse(module, { ecmaVersion: 2018, sourceType: 'module' }))) called.add(name);
  const filled = new Set<unknown>();
  walk(parse(named('main').replace(/\bimport\(/g, 'fetched('), { ecmaVersion: 2018, sourceType: 'module' }), (node) => {
    if (node.type === 'Literal') filled.add((node as Node & { value: unknown }).value);
  });
  const missing = YOUNG.filter((name) => called.has(name) && !OLD_ENOUGH.has(name) && !filled.has(name));
  assert.deepEqual(missing, []);
  assert.ok(filled.has('AbortError'), 'AbortController is younger than modules');
});

test('where the module says nothing to the browser, the one script is fetched', () => {
  const run = (window: object): string[] => {
    const fetched: string[] = [];
    const document = {
      querySelector: (selector: string) => (selector === 'script[nomodule]' ? { src: '/assets/legacy-ABCDEFGH.js' } : null),
      createElement: () => ({ src: '' }),
      head: { appendChild: ({ src }: { src: string }) => fetched.push(src) },
    };
    assert.doesNotThrow(() => parse(named('rescue'), { ecmaVersion: 2015, sourceType: 'module' }));
    new Function('window', 'document', named('rescue'))(window, document);
    return fetched;
  };
  assert.deepEqual(run({}), ['/assets/legacy-ABCDEFGH.js']);
  assert.deepEqual(run({ airclass: {} }), [], 'the page is there');
  assert.deepEqual(run({ trustedTypes: {} }), [], 'it could not be named, and was not needed');
});

test('what is kept for a time without a network has the script that old browsers run', () => {
  const worker = readFileSync(`${ASSETS}/worker.js`, 'utf8');
  const name = scripts().find((file) => file.startsWith('legacy-'));
  assert.ok(worker.includes(`/assets/${name}`), name);
});

function calledIn(program: Node): Set<string> {
  const called = new Set<string>();
  walk(program, (node) => {
    const { type, callee } = node as Node & { callee?: { type: string; property?: { name?: string } } };
    if (type === 'CallExpression' && callee?.type === 'MemberExpression' && callee.property?.name) called.add(callee.property.name);
  });
  return called;
}

function walk(value: unknown, seen: (node: Node) => void): void {
  if (Array.isArray(value)) return value.forEach((child) => walk(child, seen));
  if (typeof value !== 'object' || value === null || !('type' in value)) return;
  seen(value as Node);
  for (const child of Object.values(value)) walk(child, seen);
}

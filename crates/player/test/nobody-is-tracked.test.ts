import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

// Tests run in the project's folder.
const sources = readdirSync('page').filter((name) => /\.(ts|js|html)$/.test(name));

test('there is no check-in, no login and no upload by students anywhere on the page', () => {
  assert.ok(sources.length > 20);
  for (const name of sources) {
    const source = readFileSync(join('page', name), 'utf8');
    for (const way of [/sendBeacon/, /\.send\(/, /\.upload\b/, /WebSocket/, /type: '(file|password|email|tel)'/, /document\.cookie/, /action=/, /method: 'P/]) {
      // The one file that is chosen is read on the device, and never leaves it.
      if (name === 'kept.ts' && String(way).includes('file|')) assert.doesNotMatch(source, /type: '(password|email|tel)'/);
      else assert.doesNotMatch(source, way, `${name} has ${way}`);
    }
  }
});

test('the page fetches in one place, and sends nothing that tells one reader from another', () => {
  const fetching = sources.filter((name) => /[^.\w]fetch\(/.test(readFileSync(join('page', name), 'utf8')));
  for (const name of fetching) assert.match(readFileSync(join('page', name), 'utf8'), /credentials: 'omit'/, name);
  assert.ok(fetching.includes('network.ts'));
});

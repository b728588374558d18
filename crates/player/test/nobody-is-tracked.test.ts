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
      // What somebody wishes to be said is said in one place.
      if (name === 'tell.ts' && String(way).includes('method')) continue;
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

test('what is said is of a closed form, to three addresses, with nothing beside it', () => {
  const tell = readFileSync('page/tell.ts', 'utf8');
  assert.equal(tell.match(/fetch\(/g)?.length, 1);
  assert.match(tell, /credentials: 'omit', referrerPolicy: 'no-referrer'/);
  const tellers = sources.filter((name) => /\btell\(/.test(readFileSync(join('page', name), 'utf8')) && name !== 'tell.ts');
  assert.deepEqual(tellers, ['cmcd-reports.ts', 'counting.ts', 'reporting.ts']);
  // How lines are is told without the session's name that requests have.
  assert.doesNotMatch(readFileSync('page/cmcd-reports.ts', 'utf8'), /\bsid\b/);
  // There is nothing to write in but the search, the class code and the file of a lesson, none of which is part of a report.
  assert.doesNotMatch(readFileSync('page/reporting.ts', 'utf8'), /textarea|type: 'text'/);
  assert.match(readFileSync('page/counting.ts', 'utf8'), /tell\('\/coverage', \{ class: this\.code, lesson: this\.lesson, \.\.\.word \}\)/);
});

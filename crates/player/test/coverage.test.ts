import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nothingNoted, parseCode, parseNotes, play, say, withNotes, wordOf } from '../page/coverage';

const CODE = '22222-22222';

/** Plays from one second to another, looked at four times a second, and jumps there first. */
function watch(noted: ReturnType<typeof nothingNoted>, from: number, to: number, step = 0.25): void {
  let last: number | undefined;
  for (let at = from; at <= to; at += step) {
    play(noted, last, at);
    last = at;
  }
}

test('a class code is read as people type it, and every slip is said', () => {
  assert.deepEqual(parseCode('22222-22222'), { code: CODE });
  assert.deepEqual(parseCode(' 22222 22222 '), { code: CODE });
  // As `crates/coverage` makes them: weights 1 to 9, modulo 31.
  assert.deepEqual(parseCode('32222-22223'), { code: '32222-22223' });
  assert.deepEqual(parseCode('3z'), { trouble: 'length' });
  assert.deepEqual(parseCode(''), { trouble: 'length' });
  assert.deepEqual(parseCode('22222-2222O'), { trouble: 'character' });
  assert.deepEqual(parseCode('三年二班'), { trouble: 'character' });
  assert.deepEqual(parseCode('32222-22222'), { trouble: 'check' });
  for (const wrong of ['23222-22223', '22322-22223']) assert.deepEqual(parseCode(wrong), { trouble: 'check' }, wrong);
});

test('a minute counts when it was seen whole, a lesson when it was begun', () => {
  const noted = nothingNoted();
  watch(noted, 0, 8);
  assert.equal(wordOf(noted, 1_200), undefined, 'a glance is no beginning');
  watch(noted, 8.25, 59);
  assert.deepEqual(wordOf(noted, 1_200), { began: true, seen: [0], again: [] });
  watch(noted, 70, 130);
  assert.deepEqual(wordOf(noted, 1_200), { began: true, seen: [0], again: [] }, 'ten seconds of minute 1 are missing');
  watch(noted, 59, 71, 12);
  assert.deepEqual(wordOf(noted, 1_200)?.seen, [0, 1], 'a page that was slow to look has still played');
});

test('what was said is not said again, and going back is said once', () => {
  const noted = nothingNoted();
  watch(noted, 0, 119.9);
  const first = wordOf(noted, 1_200)!;
  assert.deepEqual(first, { began: true, seen: [0, 1], again: [] });
  say(noted, first);
  assert.equal(wordOf(noted, 1_200), undefined);
  watch(noted, 65, 70);
  assert.equal(wordOf(noted, 1_200), undefined, 'a few seconds are no going back');
  watch(noted, 80, 95);
  const second = wordOf(noted, 1_200)!;
  assert.deepEqual(second, { began: false, seen: [], again: [1] });
  say(noted, second);
  watch(noted, 60, 119);
  assert.equal(wordOf(noted, 1_200), undefined);
  assert.deepEqual(noted.said, { began: true, seen: [0, 1], again: [1] });
});

test('the last minute is as long as it is', () => {
  const noted = nothingNoted();
  watch(noted, 0, 64);
  assert.deepEqual(wordOf(noted, 64.8)?.seen, [0, 1]);
  watch(noted, 60, 64);
  assert.deepEqual(wordOf(noted, 64.8)?.again, [1]);
  watch(noted, 0, 30);
  assert.ok(wordOf(noted, 1_200)?.again.includes(0));
});

test('what a device keeps has bounds in number and time, and rubbish is nothing', () => {
  let notes = parseNotes({ code: CODE, lessons: { broken: 1 } })!;
  assert.deepEqual(notes, { code: CODE, lessons: {} });
  for (let day = 0; day < 100; day += 1) notes = withNotes(notes, `l-${day}`, { ...nothingNoted(), at: day * 3_600_000 });
  assert.equal(Object.keys(notes.lessons).length, 60);
  assert.ok('l-99' in notes.lessons && !('l-0' in notes.lessons));
  notes = withNotes(notes, 'later', { ...nothingNoted(), at: 100 * 24 * 3_600_000 });
  assert.deepEqual(Object.keys(notes.lessons), ['later']);
  for (const rubbish of [undefined, null, 1, {}, { code: 'x' }, { code: 5 }]) assert.equal(parseNotes(rubbish), undefined);
  assert.deepEqual(parseNotes(JSON.parse(JSON.stringify(notes))), notes);
});

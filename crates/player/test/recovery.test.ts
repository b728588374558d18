import assert from 'node:assert/strict';
import test from 'node:test';
import { Failing, mediaRemedy, retryAfter, standsStill, STANDSTILL_MS, startsOver, troubleOf, waitAfterOnline, waitBefore } from '../page/recovery';

test('waits double up to half a minute and differ from pupil to pupil', () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 100].map((attempt) => waitBefore(attempt, 0)), [500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
  assert.deepEqual([0, 5].map((attempt) => waitBefore(attempt, 0.999_999)), [1000, 30_000]);
  assert.ok(waitAfterOnline(0) >= 200 && waitAfterOnline(1) <= 2000);
});

test('a server that asks for time gets it, within reason', () => {
  assert.equal(waitBefore(0, 0, 5000), 5500);
  assert.equal(waitBefore(0, 0, 3_600_000), 60_500);
  const rows: [string | null, number][] = [[null, 0], ['5', 5000], [' 7 ', 7000], ['-1', 0], ['soon', 0], ['Wed, 21 Oct 2015 07:28:00 GMT', 0]];
  for (const [header, ms] of rows) assert.equal(retryAfter(header), ms, String(header));
});

test('the page is fetched anew once, when asking again has not helped', () => {
  assert.deepEqual([0, 1, 2, 3, 16].map((attempt) => startsOver(attempt, false)), [false, false, true, false, false]);
  assert.ok(!startsOver(2, true));
});

test('pictures that come do not end the failures of the sound', () => {
  const failing = new Failing();
  assert.equal(failing.comes('picture'), true);
  assert.equal(failing.fails('sound'), 1);
  assert.equal(failing.comes('picture'), false);
  assert.equal(failing.fails('picture'), 2);
  assert.equal(failing.comes('sound'), false);
  assert.equal(failing.fails('picture'), 3);
  assert.equal(failing.comes('picture'), true);
  assert.equal(failing.fails('playlist'), 1);
});

test('a picture that waits for nothing is helped on, and any other is left alone', () => {
  const nothing = { waited: STANDSTILL_MS, quiet: STANDSTILL_MS, loading: false, due: false, online: true };
  assert.ok(standsStill(nothing));
  const rows: [string, Partial<typeof nothing>][] = [
    ['it has only just stopped', { waited: STANDSTILL_MS - 1 }],
    ['something came a moment ago', { quiet: 100 }],
    ['a slow line is at work', { loading: true }],
    ['an attempt is due', { due: true }],
    ['there is no line', { online: false }],
  ];
  for (const [name, change] of rows) assert.ok(!standsStill({ ...nothing, ...change }), name);
});

test('a decoder is given two more chances, a new start, and then up', () => {
  assert.equal(mediaRemedy([], 0), 'recover');
  assert.equal(mediaRemedy([1000], 2000), 'recover');
  assert.equal(mediaRemedy([1000, 2000], 3000), 'rebuild');
  assert.equal(mediaRemedy([1000, 2000, 3000], 4000), 'stop');
  assert.equal(mediaRemedy([1000, 2000, 3000], 70_000), 'recover');
});

test('a status tells what a pupil can do', () => {
  const rows: [number | undefined, string][] = [
    [403, 'missing'], [404, 'missing'], [410, 'missing'], [undefined, 'unreachable'], [0, 'unreachable'], [408, 'unreachable'], [429, 'busy'], [500, 'busy'], [503, 'busy'],
    [504, 'busy'], [400, 'damaged'],
  ];
  for (const [status, trouble] of rows) assert.equal(troubleOf(status), trouble, String(status));
});

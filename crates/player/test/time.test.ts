import assert from 'node:assert/strict';
import test from 'node:test';
import { hearTime, timeAt, timeNow, timeOf } from '../page/time';

const BELL = Date.parse('2026-09-01T00:30:00Z');
const DAY_MS = 86_400_000;

test('an answer tells the time at which it was made, and how long it was under way', () => {
  const rows: [string | null, string | null, number | undefined][] = [
    ['Tue, 01 Sep 2026 00:30:00 GMT', null, BELL],
    ['Tue, 01 Sep 2026 00:30:00 GMT', '90', BELL + 90_000],
    ['Tue, 01 Sep 2026 00:30:00 GMT', 'x', undefined],
    ['Tue, 01 Sep 2026 00:30:00 GMT', '99999999', undefined],
    ['yesterday', '0', undefined],
    [null, '0', undefined],
  ];
  for (const [date, age, time] of rows) assert.equal(timeOf(date, age), time, `${date} ${age}`);
});

test('what was told goes on by what has passed, whatever the clock of the device says', () => {
  const at = { steady: 1_000, wall: BELL - 40 * DAY_MS };
  const known = { time: BELL, at };
  assert.equal(timeAt(known, { steady: 6_000, wall: at.wall + 5_000 }), BELL + 5_000);
  assert.equal(timeAt(known, { steady: 6_000, wall: at.wall + DAY_MS }), BELL + DAY_MS, 'it slept');
  assert.equal(timeAt(known, { steady: 6_000, wall: at.wall - DAY_MS }), BELL + 5_000, 'it was set back');
  assert.equal(timeAt(undefined, { steady: 6_000, wall: 7_000 }), 7_000, 'nobody has told');
});

test('the last answer that tells the time is the one that counts', () => {
  const answer = (date: string | null) => hearTime((name) => (name === 'Date' ? date : null));
  const about = (time: number) => assert.ok(Math.abs(timeNow() - time) < 60_000, `${new Date(timeNow()).toISOString()}`);
  answer(null);
  about(Date.now());
  answer(new Date(BELL).toUTCString());
  about(BELL);
  answer('nonsense');
  about(BELL);
  answer(new Date(BELL + DAY_MS).toUTCString());
  about(BELL + DAY_MS);
});

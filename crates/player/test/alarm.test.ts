import assert from 'node:assert/strict';
import test from 'node:test';
import { Alarm, passed, type Moment } from '../page/alarm';

const HOUR_MS = 3_600_000;

/** An alarm by clocks that a test moves, and how often it rang. */
function scene(t: { after(end: () => void): void }, wait: number) {
  const clocks: Moment = { steady: 1_000, wall: Date.UTC(2026, 8, 1) };
  const seen = { rang: 0 };
  const alarm = new Alarm(() => ({ ...clocks }));
  t.after(() => alarm.cancel());
  alarm.set(wait, () => (seen.rang += 1));
  const later = (by: Partial<Moment>): number => {
    clocks.steady += by.steady ?? 0;
    clocks.wall += by.wall ?? 0;
    alarm.look();
    return seen.rang;
  };
  return { alarm, seen, later };
}

test('what has passed is what the clock says that went further', () => {
  const since = { steady: 5_000, wall: 1_000_000 };
  const rows: [string, Moment, number][] = [
    ['awake', { steady: 6_000, wall: 1_001_000 }, 1_000],
    ['asleep for an hour', { steady: 6_000, wall: 1_001_000 + HOUR_MS }, HOUR_MS + 1_000],
    ['set back by a day', { steady: 6_000, wall: 1_001_000 - 24 * HOUR_MS }, 1_000],
    ['both stood still', since, 0],
  ];
  for (const [name, now, ms] of rows) assert.equal(passed(since, now), ms, name);
});

test('a device that slept through the wait is called as soon as it is awake, once', (t) => {
  const { alarm, later } = scene(t, HOUR_MS);
  assert.equal(later({ steady: 60_000, wall: 60_000 }), 0);
  assert.equal(later({ wall: HOUR_MS / 2 }), 0, 'half of it is left');
  assert.equal(later({ wall: HOUR_MS / 2 }), 1);
  assert.ok(!alarm.isSet);
  assert.equal(later({ wall: HOUR_MS }), 1);
});

test('a clock that is wrong by a day, or set right meanwhile, does not make the wait longer', (t) => {
  const { later } = scene(t, HOUR_MS);
  assert.equal(later({ wall: -24 * HOUR_MS }), 0);
  assert.equal(later({ steady: HOUR_MS, wall: HOUR_MS }), 1);
});

test('what was taken back does not ring, and what took its place does', (t) => {
  const { alarm, seen, later } = scene(t, HOUR_MS);
  alarm.cancel();
  assert.equal(later({ wall: 2 * HOUR_MS }), 0);
  alarm.set(HOUR_MS, () => assert.fail('another took its place'));
  alarm.set(2 * HOUR_MS, () => (seen.rang += 10));
  assert.equal(later({ wall: HOUR_MS }), 0);
  assert.equal(later({ wall: HOUR_MS }), 10);
});

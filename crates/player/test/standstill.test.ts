import assert from 'node:assert/strict';
import test from 'node:test';
import { STANDSTILL_MS } from '../page/recovery';
import { Standstill } from '../page/standstill';

/** A video that waits, a clock that a test moves, and how many standstills were found. */
function scene(t: { after(end: () => void): void }) {
  const video = { paused: false, ended: false, readyState: 2 };
  const around = { clock: 0, found: 0, isDue: false };
  const standstill = new Standstill(video, {
    due: () => around.isDue,
    online: () => true,
    now: () => around.clock,
    found: () => (around.found += 1),
  });
  t.after(() => standstill.destroy());
  const wait = (ms: number): number => {
    for (const end = around.clock + ms; around.clock < end; around.clock += 1_000) standstill.look();
    standstill.look();
    return around.found;
  };
  return { video, around, standstill, wait };
}

test('a picture that waits while nothing is downloaded is found, once each time', (t) => {
  const { standstill, wait } = scene(t);
  standstill.begins('main');
  standstill.ends('main');
  assert.equal(wait(STANDSTILL_MS - 1_000), 0);
  assert.equal(wait(1_000), 1);
  assert.equal(wait(STANDSTILL_MS - 2_000), 1);
  assert.equal(wait(2_000), 2);
});

test('a line that is slow, or that was cut, is no standstill', (t) => {
  const { video, around, standstill, wait } = scene(t);
  standstill.begins('main');
  assert.equal(wait(100_000), 0, 'a segment is on its way');
  standstill.ends('main');
  around.isDue = true;
  assert.equal(wait(100_000), 0, 'an attempt is due');
  around.isDue = false;
  video.paused = true;
  assert.equal(wait(100_000), 0, 'nobody watches');
  video.paused = false;
  video.readyState = 4;
  assert.equal(wait(100_000), 0, 'it plays');
});

test('a download that was given up without a word does not hide a standstill for ever', (t) => {
  const { standstill, wait } = scene(t);
  standstill.begins('main');
  assert.equal(wait(120_000), 0);
  assert.equal(wait(20_000), 2, 'found, and found again when nothing was done about it');
  standstill.restarts();
  assert.equal(wait(STANDSTILL_MS - 1_000), 2);
});

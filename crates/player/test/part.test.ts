import assert from 'node:assert/strict';
import test from 'node:test';
import { fetchPart } from '../page/part';
import { MAX_ATTEMPTS } from '../page/recovery';

/** Timers that a test moves. */
function timers(t: { after(end: () => void): void }): (milliseconds: number) => void {
  const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis;
  t.after(() => Object.assign(globalThis, { setTimeout, clearTimeout, setInterval, clearInterval }));
  let [now, last] = [0, 0];
  const due = new Map<number, { at: number; task: () => void }>();
  Object.assign(globalThis, {
    setTimeout: (task: () => void, wait: number) => (due.set((last += 1), { at: now + wait, task }), last),
    clearTimeout: (id: number) => due.delete(id),
    setInterval: () => 0,
    clearInterval: () => undefined,
  });
  return (milliseconds) => {
    now += milliseconds;
    for (const [id, { at, task }] of [...due]) if (at <= now && due.delete(id)) task();
  };
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
};

test('a part that does not come is asked for again after waits that grow, and no longer once it came', async (t) => {
  const tick = timers(t);
  let asked = 0;
  const [came, failed] = [[] as string[], [] as number[]];
  fetchPart(() => ((asked += 1), asked < 4 ? Promise.reject(new Error('cut')) : Promise.resolve('part')), (part) => came.push(part), (attempt) => failed.push(attempt));
  await settle();
  assert.deepEqual([asked, failed], [1, [0]]);
  tick(499);
  await settle();
  assert.equal(asked, 1, 'not at once');
  for (const wait of [1_000, 2_000, 4_000, 60_000]) {
    tick(wait);
    await settle();
  }
  assert.deepEqual([asked, came, failed], [4, ['part'], [0, 1, 2]]);
});

test('asking for a part has an end, and ends where it is not wanted any more', async (t) => {
  const tick = timers(t);
  let asked = 0;
  const ask = (): Promise<never> => ((asked += 1), Promise.reject(new Error('cut')));
  fetchPart(ask, () => assert.fail('it never comes'));
  for (let turn = 0; turn < 2 * MAX_ATTEMPTS; turn += 1) {
    await settle();
    tick(60_000);
  }
  assert.equal(asked, MAX_ATTEMPTS);
  asked = 0;
  const stop = fetchPart(ask, () => assert.fail('it never comes'), () => assert.fail('nobody is there to hear'));
  stop();
  await settle();
  tick(60_000);
  await settle();
  assert.equal(asked, 1);
});

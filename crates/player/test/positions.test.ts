import assert from 'node:assert/strict';
import test from 'node:test';
import { MAX_POSITIONS, Positions } from '../page/positions';
import { deviceStore } from '../page/store';
import { memory } from './memory';

function fresh(): { positions: Positions; storage: Storage } {
  const storage = memory();
  return { positions: new Positions(deviceStore(() => storage)), storage };
}

test('a place is resumed where it was left', () => {
  const { positions } = fresh();
  positions.note('a', 'A', 187.26, 1200);
  assert.equal(positions.resumeAt('a'), 187.2);
  assert.equal(positions.resumeAt('b'), 0);
});

test('the first seconds are nothing to resume', () => {
  const { positions } = fresh();
  positions.note('a', 'A', 9, 1200);
  assert.deepEqual(positions.all(), []);
});

test('going back to the start does not forget the lesson', () => {
  const { positions } = fresh();
  positions.note('a', 'A', 600, 1200);
  positions.note('a', 'A', 0, 1200);
  assert.equal(positions.resumeAt('a'), 600);
});

test('a lesson watched to its end opens from the start', () => {
  const { positions } = fresh();
  positions.note('a', 'A', 1190, 1200);
  assert.equal(positions.find('a')?.done, true);
  assert.equal(positions.resumeAt('a'), 0);
});

test('the most recent lesson comes first and the oldest is forgotten', () => {
  const { positions } = fresh();
  for (let n = 0; n < MAX_POSITIONS + 5; n += 1) positions.note(`l${n}`, 'L', 60, 1200);
  positions.note('l100', 'L', 90, 1200);
  assert.equal(positions.all().length, MAX_POSITIONS);
  assert.equal(positions.all()[0]?.id, 'l100');
  assert.equal(positions.find('l4'), undefined);
  assert.ok(positions.find('l5'));
});

test('clearing leaves nothing of ours on the device', () => {
  const { positions, storage } = fresh();
  positions.note('a', 'A', 60, 1200);
  positions.clear();
  assert.equal(storage.length, 0);
});

test('numbers that are none are not kept', () => {
  const { positions } = fresh();
  for (const [at, of] of [[NaN, 100], [50, NaN], [50, 0], [50, Infinity]] as const) positions.note('a', 'A', at, of);
  assert.deepEqual(positions.all(), []);
});

test('what somebody else wrote into the storage does no harm', () => {
  for (const text of ['', '{', 'null', '7', '{"a":1}', '[1,{"id":"a"},{"id":"b","title":"B","at":60,"of":120,"done":false}]']) {
    const { positions, storage } = fresh();
    storage.setItem('airclass.positions', text);
    assert.ok(positions.all().length <= 1, text);
    positions.note('c', 'C', 60, 1200);
    assert.equal(positions.resumeAt('c'), 60, text);
  }
});

test('a device that forbids storage remembers nothing and fails nothing', () => {
  const forbidden = new Positions(deviceStore(() => {
    throw new Error('SecurityError');
  }));
  forbidden.note('a', 'A', 60, 1200);
  forbidden.forget('a');
  forbidden.clear();
  assert.deepEqual(forbidden.all(), []);
});

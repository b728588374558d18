import assert from 'node:assert/strict';
import test from 'node:test';
import { MAX_ERRORS, State } from '../page/state';

test('the view from outside follows and cannot be written', () => {
  const state = new State();
  const view = state.view();
  state.set({ phase: 'playing', position: 3 });
  assert.deepEqual([view.phase, view.playing, view.position], ['playing', true, 3]);
  assert.throws(() => {
    (view as { phase: string }).phase = 'idle';
  }, TypeError);
  state.reset();
  assert.deepEqual([view.phase, view.playing, view.lesson], ['idle', false, null]);
});

test('listeners hear of changes and of nothing else', () => {
  const state = new State();
  let heard = 0;
  const stop = state.listen(() => (heard += 1));
  state.set({ position: 1 });
  state.set({ position: 1 });
  assert.equal(heard, 1);
  stop();
  state.set({ position: 2 });
  assert.equal(heard, 1);
});

test('only the latest errors are kept', () => {
  const state = new State();
  for (let at = 0; at < MAX_ERRORS + 7; at += 1) state.log({ at, kind: 'network', detail: 'x', status: 0, fatal: false });
  assert.equal(state.now.errors.length, MAX_ERRORS);
  assert.equal(state.now.errors[0]?.at, 7);
});

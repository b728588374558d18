import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LISTED, listed, standing } from '../page/standing';
import type { Upstream } from '../page/source';

const one = (name: string, up: boolean, load = 0, asked = {}): Upstream => ({ group: 'default', name, up, load, asked });

test('who was never asked is not called available', () => {
  for (const [upstream, said] of [
    [one('a', true), 'unused'],
    [one('a', true, 1), 'up'],
    [one('a', true, 0, { ok: 1 }), 'up'],
    [one('a', false), 'down'],
  ] as const) {
    assert.equal(standing(upstream), said);
  }
});

test('of many upstreams as many are listed as fit, what is wrong first, and the others are counted', () => {
  const few = [one('b', true), one('a', true, 0, { ok: 1 }), one('c', false)];
  assert.deepEqual(listed(few).shown.map(({ name }) => name), ['c', 'a', 'b']);
  assert.deepEqual(listed(few).rest, { down: 0, up: 0, unused: 0 });
  const many = [...Array.from({ length: 40 }, (_, n) => one(`n${n}`, true)), ...Array.from({ length: LISTED + 1 }, (_, n) => one(`d${n}`, false)), one('u', true, 2)];
  const { shown, rest } = listed(many);
  assert.deepEqual(shown.map(({ name }) => name), Array.from({ length: LISTED }, (_, n) => `d${n}`));
  assert.deepEqual(rest, { down: 1, up: 1, unused: 40 });
});

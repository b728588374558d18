import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heard, LOST_MS } from '../page/heard';

test('figures are live while they come, and a page that has none does not say so', () => {
  assert.equal(heard(false, 0), 'opening');
  assert.equal(heard(false, LOST_MS + 1), 'lost');
  assert.equal(heard(true, LOST_MS), 'live');
  assert.equal(heard(true, LOST_MS + 1), 'lost');
});

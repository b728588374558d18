import assert from 'node:assert/strict';
import test from 'node:test';
import { keepPreferences, nextSpeed, readPreferences } from '../page/preferences';
import { deviceStore } from '../page/store';
import { memory } from './memory';

test('preferences are kept one by one', () => {
  const storage = memory();
  const store = deviceStore(() => storage);
  assert.deepEqual(readPreferences(store), { volume: 1, muted: false, speed: 1 });
  keepPreferences(store, { speed: 1.5 });
  keepPreferences(store, { volume: 0.4, language: 'en' });
  assert.deepEqual(readPreferences(store), { volume: 0.4, muted: false, speed: 1.5, language: 'en' });
});

test('preferences out of range are not believed', () => {
  const storage = memory();
  storage.setItem('airclass.preferences', '{"volume":7,"muted":"yes","speed":16,"language":"xx"}');
  assert.deepEqual(readPreferences(deviceStore(() => storage)), { volume: 1, muted: false, speed: 1 });
});

test('speed moves along the scale and stops at its ends', () => {
  assert.deepEqual([nextSpeed(1, 1), nextSpeed(1, -1), nextSpeed(2, 1), nextSpeed(0.75, -1), nextSpeed(1.1, 1)], [1.25, 0.75, 2, 0.75, 1.25]);
});

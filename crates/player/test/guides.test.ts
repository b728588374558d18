import assert from 'node:assert/strict';
import { test } from 'node:test';
import { airingsIn } from '../page/airings';
import { keepGuide, keptGuide } from '../page/offline/guides';
import { deviceStore } from '../page/store';
import { parseGuide } from '../page/timetable';
import { memory } from './memory';

const NOW = Date.parse('2026-09-01T07:50:00+08:00');
const DAY_MS = 86_400_000;
const GUIDE = {
  kind: 'airclass-day/1', documents: ['x'.repeat(10_000)],
  lessons: [{ lesson: 'maths', release: '2026-09-01T00:30:00Z', grades: [9], title: '函数', subject: '数学', edition: '人教版' }],
  channels: [{ channel: 'junior', title: '初中', programmes: [
    { item: 'a', start: '2026-09-01T00:00:00Z', end: '2026-09-01T00:30:00Z', kind: 'gap', title: '' },
    { item: 'b', start: '2026-09-01T00:30:00Z', end: '2026-09-01T00:50:00Z', kind: 'lesson', title: '函数', lesson: 'maths' },
  ] }],
};

test('what is kept of a guide says when what opens and airs, and little else', () => {
  const storage = memory();
  const store = deviceStore(() => storage);
  keepGuide(store, '2026-09-01', GUIDE, NOW);
  const kept = keptGuide(store, '2026-09-01')!;
  assert.equal(kept.at, NOW);
  assert.deepEqual(parseGuide(kept.guide), parseGuide(GUIDE));
  assert.deepEqual(airingsIn(kept.guide, 'maths', NOW), airingsIn(GUIDE, 'maths', NOW));
  assert.ok(JSON.stringify(store.read('guides')).length < 500);
});

test('today and tomorrow are kept, and days that are over go', () => {
  const storage = memory();
  const store = deviceStore(() => storage);
  keepGuide(store, '2026-09-01', GUIDE, NOW);
  keepGuide(store, '2026-09-02', GUIDE, NOW);
  assert.ok(keptGuide(store, '2026-09-01') && keptGuide(store, '2026-09-02'));
  keepGuide(store, '2026-09-03', GUIDE, NOW + DAY_MS);
  assert.equal(keptGuide(store, '2026-09-01'), undefined);
  assert.ok(keptGuide(store, '2026-09-02') && keptGuide(store, '2026-09-03'));
});

test('what is no guide is none, and a device that keeps nothing has none', () => {
  const storage = memory();
  const store = deviceStore(() => storage);
  for (const wrong of [undefined, null, 5, 'x', [], { '2026-09-01': 5 }, { '2026-09-01': { at: 'x' } }]) {
    store.write('guides', wrong);
    assert.equal(keptGuide(store, '2026-09-01'), undefined);
    keepGuide(store, '2026-09-01', wrong, NOW);
    assert.deepEqual(parseGuide(keptGuide(store, '2026-09-01')?.guide), []);
    storage.clear();
  }
  const nowhere = deviceStore(() => {
    throw new Error('forbidden');
  });
  keepGuide(nowhere, '2026-09-01', GUIDE, NOW);
  assert.equal(keptGuide(nowhere, '2026-09-01'), undefined);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { airingsIn, guideOf } from '../page/airings';

const now = Date.parse('2026-03-02T01:00:00Z');
const programme = (lesson: string, start: string, end: string) => ({ lesson, start, end, kind: 'lesson' });

test('what is on air and what comes is named, the next first', () => {
  const guide = {
    kind: 'airclass-day/1',
    channels: [
      { channel: 'g9', title: '初三', programmes: [programme('a', '2026-03-02T06:00:00Z', '2026-03-02T06:20:00Z'), programme('a', '2026-03-02T00:00:00Z', '2026-03-02T00:20:00Z')] },
      { channel: 'g8', title: '初二', programmes: [programme('b', '2026-03-02T02:00:00Z', '2026-03-02T02:20:00Z'), programme('a', '2026-03-02T00:50:00Z', '2026-03-02T01:10:00Z')] },
    ],
  };
  assert.deepEqual(airingsIn(guide, 'a', now), [
    { channel: '初二', at: Date.parse('2026-03-02T00:50:00Z') },
    { channel: '初三', at: Date.parse('2026-03-02T06:00:00Z') },
  ]);
  assert.deepEqual(airingsIn(guide, 'c', now), []);
  for (const nonsense of [undefined, null, 7, {}, { channels: [null, {}, { title: 'x', programmes: [null, { lesson: 'a', start: 'x' }] }] }]) {
    assert.deepEqual(airingsIn(nonsense, 'a', now), []);
  }
});

test('the guide is that of the day in China', () => {
  assert.equal(guideOf(Date.parse('2026-03-01T15:59:00Z')), '/timetable/2026-03-01.json');
  assert.equal(guideOf(Date.parse('2026-03-01T16:00:00Z')), '/timetable/2026-03-02.json');
});

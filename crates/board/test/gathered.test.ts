import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gathered, TOLD } from '../page/gathered';
import type { Alarm } from '../page/source';

const alarm = (name: string, severity: Alarm['severity'], subject: string, detail = '', detail_zh = detail): Alarm => ({
  alarm: name, severity, subject, detail, detail_zh, zh: '', en: '', do_zh: '', do_en: '', runbook: '',
});

test('forty upstreams that are down are one alarm, and hide no other', () => {
  const down = Array.from({ length: 40 }, (_, n) => alarm('parent_down', 'ticket', `u${n}`, 'group a', '组 a'));
  const shown = gathered([alarm('health_misses', 'page', '', '90 %'), ...down, alarm('disk_not_well', 'ticket', '/d')], 'zh');
  assert.deepEqual(shown.map(({ of }) => of.alarm), ['health_misses', 'parent_down', 'disk_not_well']);
  assert.deepEqual(shown.map(({ more }) => more), [0, 40 - TOLD, 0]);
  assert.deepEqual(shown.map(({ told }) => told.length), [1, TOLD, 1]);
  assert.equal(shown[1]?.told[0], 'u0 · 组 a');
});

test('what cannot wait stands apart from what can, and bells are told by their hour', () => {
  const bells = [alarm('bell_not_covered', 'page', '2026-09-01T08:30', '50 %'), alarm('bell_not_covered', 'ticket', '2026-09-01T09:10', '70 %')];
  assert.deepEqual(gathered(bells, 'en').map(({ of, told }) => [of.severity, ...told]), [['page', '08:30 · 50 %'], ['ticket', '09:10 · 70 %']]);
  assert.deepEqual(gathered([], 'zh'), []);
});

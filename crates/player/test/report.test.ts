import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultOf, heard, reportable } from '../page/answers';
import { buildOf, compose, dropFirst, fate, keepReport, KINDS, late, MAX_KEPT, readKept } from '../page/report';
import { parseSupport } from '../page/reporting';
import { deviceStore } from '../page/store';
import { memory } from './memory';

const FIELDS: Record<string, string> = { 'Cache-Status': 'parent-1; hit, wuhan-1; fwd=miss; detail=x', 'Airclass-Trace': '0123456789abcdef' };
const field = (name: string): string | null => FIELDS[name] ?? null;
const SEGMENT = '/p/0123456789abcdef0123456789abcdef01234567/s2/00001.m4s';

test('a report says which answer it is about: the failure just before, or the latest', () => {
  heard(SEGMENT, 200, field);
  const fine = reportable(performance.now())!;
  assert.deepEqual({ ...fine, at: 0 }, { node: 'wuhan-1', trace: '0123456789abcdef', status: 200, rung: 's2', at: 0 });
  assert.equal(faultOf(fine), 'none');
  heard('/catalogue/version.json', 503, (name) => (name === 'Cache-Status' ? 'wuhan-2; fwd=uri-miss' : null));
  heard(SEGMENT, 200, field);
  const failed = reportable(performance.now())!;
  assert.deepEqual([failed.node, failed.trace, failed.status, failed.rung, faultOf(failed)], ['wuhan-2', '', 503, '', 'busy']);
  assert.equal(reportable(performance.now() + 300_000)?.node, 'wuhan-1');
  const report = compose('stalls', { lesson: 'maths-9', engine: 'hls.js', fault: null }, failed, 'C3W676FP');
  assert.deepEqual(report, { kind: 'stalls', fault: 'busy', node: 'wuhan-2', status: 503, lesson: 'maths-9', build: 'C3W676FP', engine: 'hls.js' });
  assert.deepEqual(compose('page', { lesson: '.file', engine: null, fault: null }, undefined, ''), { kind: 'page', fault: 'none' });
  assert.equal(buildOf('http://127.0.0.1/assets/main-C3W676FP.js'), 'C3W676FP');
  assert.equal(buildOf(''), '');
});

test('twenty reports wait at most, as long as they are of use', () => {
  const store = deviceStore(memory);
  const device = memory();
  const kept = deviceStore(() => device);
  for (let at = 0; at < MAX_KEPT + 5; at += 1) assert.ok(keepReport(kept, { report: { kind: 'page', fault: 'none' }, at }));
  assert.deepEqual([readKept(kept).length, readKept(kept)[0]!.at], [MAX_KEPT, 5]);
  dropFirst(kept);
  assert.equal(readKept(kept)[0]!.at, 6);
  assert.deepEqual(late({ report: { kind: 'page', fault: 'none' }, at: 0 }, 600_000), { kind: 'page', fault: 'none', waited_min: 10 });
  assert.equal(late({ report: { kind: 'page', fault: 'none' }, at: 0 }, 40 * 24 * 3_600_000), undefined);
  kept.write('reports', [{ at: 1, report: { kind: 'rubbish' } }, 5]);
  assert.deepEqual(readKept(kept), []);
  assert.deepEqual(readKept(store), []);
});

test('what cannot be heard now is sent later, and what nobody hears is not', () => {
  for (const [status, what] of [[202, 'taken'], [0, 'later'], [503, 'later'], [429, 'later'], [405, 'nobody'], [404, 'nobody'], [400, 'nobody']] as const) {
    assert.equal(fate(status), what, String(status));
  }
  assert.equal(KINDS.length, 8);
});

test('whom to ask is a number or a page, or nobody', () => {
  assert.deepEqual(parseSupport({ phone: '027-1234 5678', page: 'https://help.example/' }), { phone: '027-1234 5678', page: 'https://help.example/' });
  for (const rubbish of [undefined, {}, { phone: 5, page: 'javascript:alert(1)' }, { phone: '<b>', page: 'https://a/"' }]) assert.deepEqual(parseSupport(rubbish), { phone: '', page: '' });
});

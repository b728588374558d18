import assert from 'node:assert/strict';
import test from 'node:test';
import { comeAgain, parseWaiting } from '../page/admission';

const said = { error: 'waiting', title: '课', wait_s: 41, ahead: 12_345, ticket: '1.usual.7.8.9.ab', slot_opens: null, soft: false, channel: '初中', replay: '2026-09-01T10:00:00Z' };

test('a place in line is read, and brought back', () => {
  const waiting = parseWaiting(503, JSON.stringify(said));
  assert.deepEqual(waiting, {
    waitMs: 41_000, ahead: 12_345, ticket: '1.usual.7.8.9.ab', soft: false, channel: '初中', replayAt: Date.parse('2026-09-01T10:00:00Z'),
  });
  assert.equal(comeAgain('/l/main.m3u8', waiting!.ticket), '/l/main.m3u8?ticket=1.usual.7.8.9.ab');
  assert.equal(comeAgain('/l/main.m3u8', ''), '/l/main.m3u8');
  assert.equal(comeAgain('/l/main.m3u8', '', true), '/l/main.m3u8?continue=1');
});

test('a slot has no place, and may be soft', () => {
  const waiting = parseWaiting(503, JSON.stringify({ ...said, ahead: null, ticket: null, soft: true, replay: null, channel: null, wait_s: 0 }));
  assert.deepEqual(waiting, { waitMs: 1_000, ahead: null, ticket: '', soft: true, channel: '', replayAt: null });
});

test('anything else is an error as any', () => {
  const rows: [number, string][] = [
    [502, JSON.stringify(said)], [503, '现在观看的人很多'], [503, 'null'], [503, '{"error":"other"}'], [503, JSON.stringify({ ...said, wait_s: 'soon' })],
    [503, `${JSON.stringify(said)}${' '.repeat(5_000)}`],
  ];
  for (const [status, body] of rows) assert.equal(parseWaiting(status, body), undefined, body.slice(0, 40));
  assert.equal(parseWaiting(503, JSON.stringify({ ...said, ticket: '1&x=<' }))!.ticket, '');
});

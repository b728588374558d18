import assert from 'node:assert/strict';
import test from 'node:test';
import { comeAgain, parseWaiting } from '../page/admission';

const said = { error: 'waiting', title: '课', wait_s: 41, ahead: 12_345, ticket: '1.usual.7.8.9.ab', slot_opens: null, soft: false, channel: '初中', replay: '2026-09-01T10:00:00Z' };

test('a place in line is read, and brought back', () => {
  const waiting = parseWaiting(503, JSON.stringify(said));
  assert.deepEqual(waiting, {
    waitMs: 41_000, ahead: 12_345, ticket: '1.usual.7.8.9.ab', soft: false, channel: '初中', airsAt: null, replayAt: Date.parse('2026-09-01T10:00:00Z'),
    opensAt: null, title: '课',
  });
  assert.equal(comeAgain('/l/main.m3u8', waiting!.ticket), '/l/main.m3u8?ticket=1.usual.7.8.9.ab');
  assert.equal(comeAgain('/l/main.m3u8', ''), '/l/main.m3u8');
  assert.equal(comeAgain('/l/main.m3u8', '', true), '/l/main.m3u8?continue=1');
});

test('a slot has no place, and may be soft', () => {
  const waiting = parseWaiting(503, JSON.stringify({ ...said, ahead: null, ticket: null, soft: true, replay: null, channel: null, wait_s: 0 }));
  assert.deepEqual(waiting, { waitMs: 1_000, ahead: null, ticket: '', soft: true, channel: '', airsAt: null, replayAt: null, opensAt: null, title: '课' });
});

const shut = {
  error: 'not_open_yet', opens_at: '2026-09-01T00:30:00Z', retry_after_s: 65, title: '函数',
  airings: [{ channel: '初中', at: '2026-09-01T00:30:00Z', again: false }, { channel: '初中二', at: '2026-09-01T10:00:00Z', again: true }],
};

test('a lesson before its hour says when, where television shows it, and when again', () => {
  const opensAt = Date.parse('2026-09-01T00:30:00Z');
  assert.deepEqual(parseWaiting(403, JSON.stringify(shut)), {
    waitMs: 65_000, ahead: null, ticket: '', soft: false, channel: '初中', airsAt: opensAt, replayAt: Date.parse('2026-09-01T10:00:00Z'), opensAt, title: '函数',
  });
  // A package says nothing of lessons.
  const bare = parseWaiting(403, JSON.stringify({ ...shut, title: null, airings: [null, 1, { at: 'soon' }] }));
  assert.deepEqual([bare!.title, bare!.channel, bare!.airsAt, bare!.replayAt, bare!.opensAt], ['', '', null, null, opensAt]);
});

test('anything else is an error as any', () => {
  const rows: [number, string][] = [
    [502, JSON.stringify(said)], [503, '现在观看的人很多'], [503, 'null'], [503, '{"error":"other"}'], [403, JSON.stringify(said)], [503, JSON.stringify(shut)], [403, JSON.stringify({ ...shut, opens_at: 'soon' })], [503, JSON.stringify({ ...said, wait_s: 'soon' })],
    [503, `${JSON.stringify(said)}${' '.repeat(5_000)}`],
  ];
  for (const [status, body] of rows) assert.equal(parseWaiting(status, body), undefined, body.slice(0, 40));
  assert.equal(parseWaiting(503, JSON.stringify({ ...said, ticket: '1&x=<' }))!.ticket, '');
});

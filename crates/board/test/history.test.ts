import assert from 'node:assert/strict';
import { test } from 'node:test';
import { History } from '../page/history';
import type { Counts, Samples } from '../page/source';
import { choose } from '../page/words';

const NAMES = [
  'sent_bytes', 'received_bytes', 'bytes_ram', 'bytes_disk', 'bytes_upstream', 'bytes_own', 'requests_ram', 'requests_disk', 'requests_upstream',
  'requests_own', 'segments', 'slow_segments', 'health_misses', 'players', 'in_flight', 'overload_level',
] as const;

const counts = (known: Partial<Counts>) => ({ ...Object.fromEntries(NAMES.map((name) => [name, 0])), ...known }) as unknown as Counts;

function samples(rows: [number, Partial<Counts>][]): Samples {
  const columns = Object.fromEntries(NAMES.map((name) => [name, rows.map(([, known]) => known[name] ?? 0)]));
  return { kind: 'airclass-samples/1', every_ms: 5000, at_ms: rows.map(([at]) => at), ...columns } as Samples;
}

test('rates are between looks, shares of what the cache could have answered', () => {
  const history = new History();
  history.restart(samples([[0, {}], [5_000, { sent_bytes: 5_000, bytes_ram: 3_000, bytes_disk: 1_000, bytes_upstream: 1_000 }]]));
  assert.ok(history.append(15_000, counts({ sent_bytes: 5_000, bytes_ram: 3_000, bytes_disk: 1_000, bytes_upstream: 1_000, players: 7 }), 20_000));
  assert.deepEqual(history.seconds, [0, 5, 15]);
  assert.deepEqual(history.bps('sent_bytes'), [null, 8_000, 0]);
  assert.deepEqual(history.shares('bytes'), [null, { ram: 0.6, disk: 0.2 }, { ram: 0.6, disk: 0.2 }]);
  assert.deepEqual(history.lately('bytes'), { ram: 0.6, disk: 0.2 });
  assert.equal(history.lately('requests'), null);
  assert.deepEqual(history.gauge('players'), [0, 0, 7]);
  assert.equal(history.slow(), null);
});

test('a gap, a clock that goes back, and a process that began anew are not drawn over', () => {
  const history = new History();
  assert.equal(history.append(0, counts({}), 20_000), false, 'nothing is here yet');
  history.restart(samples([[100_000, { sent_bytes: 500 }]]));
  assert.equal(history.append(120_001, counts({ sent_bytes: 500 }), 20_000), false);
  assert.equal(history.append(99_000, counts({ sent_bytes: 500 }), 20_000), false);
  assert.equal(history.append(105_000, counts({ sent_bytes: 499 }), 20_000), false);
  assert.equal(history.append(100_100, counts({ sent_bytes: 900 }), 20_000), true);
  assert.deepEqual(history.seconds, [100], 'too near to make a rate of');
});

test('half an hour is kept', () => {
  const history = new History();
  history.restart(samples([[0, {}]]));
  for (let at = 5_000; at <= 4_000_000; at += 5_000) assert.ok(history.append(at, counts({ sent_bytes: at }), 20_000));
  assert.equal(history.seconds.length, 361);
  assert.equal(history.bps('sent_bytes')[360], 8_000);
});

test('the address chooses the language, then the browser', () => {
  for (const [hash, preferred, language] of [
    ['', ['en-GB'], 'en'], ['', ['fr', 'zh-HK', 'en'], 'zh'], ['', ['fr'], 'zh'], ['#en', ['zh-CN'], 'en'], ['#zh', ['en'], 'zh'], ['#x', [], 'zh'],
  ] as const) {
    assert.equal(choose(hash, preferred), language);
  }
});

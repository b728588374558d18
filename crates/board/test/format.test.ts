import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, clock, countdown, percent, rate, short, whole } from '../page/format';

test('figures are short, base 1000, and never rounded into the next step wrongly', () => {
  const cases: [number, string][] = [
    [0, '0 bit/s'], [999, '999 bit/s'], [999.6, '1.00 kbit/s'], [9_420_000_000, '9.42 Gbit/s'], [42_000_000, '42.0 Mbit/s'],
    [123_456_789, '123 Mbit/s'], [999_600, '1.00 Mbit/s'],
  ];
  for (const [bps, text] of cases) assert.equal(rate(bps), text);
  assert.equal(bytes(1_800_000_000_000), '1.80 TB');
  assert.equal(short(10_000_000_000), '10 G');
  assert.equal(whole(667_789_256_436), '667\u202f789\u202f256\u202f436');
});

test('what is not whole does not read 100 %', () => {
  for (const [share, digits, text] of [[1, 2, '100 %'], [0.999_999, 2, '99.99 %'], [0.9731, 2, '97.31 %'], [0.29, 0, '29 %'], [0, 1, '0.0 %'], [1.2, 0, '100 %']] as const) {
    assert.equal(percent(share, digits), text);
  }
});

test('times are those of the place', () => {
  assert.equal(clock(Date.parse('2026-09-01T00:30:05Z'), 28_800), '08:30');
  assert.equal(clock(Date.parse('2026-09-01T00:30:05Z'), 28_800, true), '08:30:05');
  // A node without a plan: whatever zone the reader's device is set to.
  process.env.TZ = 'America/New_York';
  assert.equal(clock(Date.parse('2026-09-01T00:30:05Z'), null), '08:30');
  for (const [seconds, text] of [[0.2, '00:01'], [754, '12:34'], [3_723, '1:02:03'], [-5, '00:00']] as const) assert.equal(countdown(seconds), text);
});

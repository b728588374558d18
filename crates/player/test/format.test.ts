import assert from 'node:assert/strict';
import test from 'node:test';
import { bitRate, bytes, clock, cost, inLine, minutes } from '../page/format';

test('positions read as clocks', () => {
  const rows: [number, string][] = [[0, '0:00'], [9.99, '0:09'], [187, '3:07'], [3600, '1:00:00'], [3723, '1:02:03'], [NaN, '0:00'], [Infinity, '0:00'], [-5, '0:00']];
  for (const [seconds, text] of rows) assert.equal(clock(seconds), text);
});

test('bytes never show a unit overflowing', () => {
  const rows: [number, string][] = [
    [0, '0 B'], [999, '999 B'], [1000, '1 kB'], [999_499, '999 kB'], [999_500, '1.0 MB'], [12_400_000, '12.4 MB'],
    [99_949_999, '99.9 MB'], [99_950_000, '100 MB'], [999_500_000, '1.00 GB'],
  ];
  for (const [count, text] of rows) assert.equal(bytes(count), text);
});

test('bit rates are decimal', () => {
  const rows: [number, string][] = [[96_000, '96 kbit/s'], [999_499, '999 kbit/s'], [999_500, '1.0 Mbit/s'], [1_840_000, '1.8 Mbit/s']];
  for (const [rate, text] of rows) assert.equal(bitRate(rate), text);
});

test('a lesson of 20 minutes at 400 kbit/s costs 60 MB', () => {
  assert.equal(bytes(cost(400_000, 1200)), '60.0 MB');
});

test('a short clip still lasts a minute', () => {
  assert.deepEqual([minutes(0), minutes(89_000), minutes(1_200_000)], [1, 1, 20]);
});

test('facts stand in a line, and none of them begins one with a dot', () => {
  assert.equal(inLine(['上册', undefined, false, '', '第八单元']), '上册\u00a0· 第八单元');
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { finds, isRead, mayBeRead, parseIndex } from '../page/index-search';

const [entry] = parseIndex([['maths-3', '分数的初步认识 数学 王老师 unit 3', 'fen shu/shuo de/di chu bu ren shi/zhi shu/shuo xue wang lao shi unit 3']])!;

test('Chinese is found as it is typed', () => {
  for (const word of ['fenshu', 'fs', 'fshu', 'fens', 'chubu', 'cb', 'wanglaoshi', 'wls', 'renzhi', 'unit3', '分数', 'shuxue', "fen'shu"]) {
    assert.ok(finds(entry!, [word]), word);
  }
  for (const word of ['fenxue', 'sf', 'zzz', 'enshu', '小数']) assert.ok(!finds(entry!, [word]), word);
  assert.ok(finds(entry!, ['fs', '数学']) && !finds(entry!, ['fs', '语文']));
});

test('a long text and a long word cost steps, not time without end', () => {
  const syllables = Array.from({ length: 2_000 }, () => ['aaaaaa', 'aaaaa']);
  assert.ok(!isRead(syllables, `${'a'.repeat(79)}b`));
});

test('what is no index is not taken for one', () => {
  assert.equal(parseIndex({}), undefined);
  assert.deepEqual(parseIndex([null, ['a'], ['a', 'b', 3]]), []);
  assert.ok(mayBeRead('fs 数') && !mayBeRead('数学 3'));
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { parseLesson, parseShard, parseVersion } from '../page/catalogue';

test('the version file lists the parts', () => {
  const shards = parseVersion({ version: 3, shards: [{ path: 'catalogue/primary-3-0a1b2c3d.json', stage: 'primary', grade: 3, lessons: 12, search: 'catalogue/search-primary-3-0a1b2c3d.json' }] });
  assert.deepEqual(shards, [{ path: 'catalogue/primary-3-0a1b2c3d.json', stage: 'primary', grade: '3', lessons: 12, search: 'catalogue/search-primary-3-0a1b2c3d.json' }]);
  assert.deepEqual(parseVersion({ version: 1, shards: [] }), []);
});

test('what is no catalogue is not taken for an empty one', () => {
  for (const json of [null, 1, 'x', [], {}, { shards: 'none' }]) assert.equal(parseVersion(json), undefined);
});

test('a part never leads out of the catalogue', () => {
  for (const path of ['../p/x.json', 'catalogue/../x.json', 'https://example.invalid/x.json', '//example.invalid/x.json', '/catalogue/x.json', 7]) {
    assert.deepEqual(parseVersion({ shards: [{ path }] }), [], String(path));
  }
});

test('a lesson keeps what it says and nothing else', () => {
  const lesson = parseLesson({
    lesson: 'a-1', package: 'f'.repeat(40), duration_ms: 1_200_000, title: ' 分数 ', stage: 'primary', grade: 3, subject: '数学',
    language: 'zh-CN', provider: '人民教育出版社', odd: {},
  });
  assert.deepEqual(lesson, {
    id: 'a-1', title: '分数', stage: 'primary', grade: '3', subject: '数学', edition: '', volume: '', unit: '', section: '', beside: '', teacher: '',
    provider: '人民教育出版社', licence: '', durationMs: 1_200_000,
  });
});

test('entries that cannot be opened are left out', () => {
  const entries = [{ lesson: 'ok', title: 'T' }, { lesson: 'no title' }, { lesson: '../x', title: 'T' }, { title: 'T' }, null, 3];
  assert.deepEqual(parseShard(entries)?.map((lesson) => lesson.id), ['ok']);
  assert.equal(parseShard({ lessons: entries }), undefined);
});

test('an unknown stage is another stage', () => {
  assert.equal(parseLesson({ lesson: 'a', title: 'T', stage: 'kindergarten' })?.stage, 'other');
});

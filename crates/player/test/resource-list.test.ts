import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupsDown, parsePlatforms, parseResources, platformsDown } from '../page/resource-list';

const SUM = '0123456789abcdef'.repeat(4);
const BOOK = { resource: 'maths-3a', title: '数学', kind: 'textbook', stage: 'primary', grade: 3, provider: '人教社', licence: '供教学使用', files: [{ path: `r/${SUM}.pdf`, name: '数学.pdf', bytes: 5, sha256: SUM }] };

test('files and apps are listed with where they come from', () => {
  const [book] = parseResources({ version: 1, resources: [BOOK] })!;
  assert.deepEqual([book!.grade, book!.stage, book!.files[0]!.sha256, book!.provider], ['3', 'primary', SUM, '人教社']);
  const [app] = parseResources({ resources: [{ ...BOOK, kind: 'app', files: undefined, link: 'https://app.example/' }] })!;
  assert.deepEqual([app!.link, app!.files.length], ['https://app.example/', 0]);
});

test('what leads nowhere, or elsewhere, is left out', () => {
  assert.equal(parseResources(undefined), undefined);
  assert.equal(parseResources({ resources: 5 }), undefined);
  const file = BOOK.files[0]!;
  for (const wrong of [
    { ...BOOK, resource: '../x' },
    { ...BOOK, kind: 'film' },
    { ...BOOK, title: '' },
    { ...BOOK, files: [] },
    { ...BOOK, files: [{ ...file, path: 'p/x.pdf' }] },
    { ...BOOK, files: [{ ...file, path: `r/${SUM}.exe` }] },
    { ...BOOK, files: [{ ...file, path: `https://elsewhere/${SUM}.pdf` }] },
    { ...BOOK, kind: 'app', link: 'javascript:alert(1)' },
    null,
  ]) assert.deepEqual(parseResources({ resources: [wrong] }), [], JSON.stringify(wrong));
});

test('a platform whose group is down is known, and what is none is left out', () => {
  const platform = { id: 'hubei', zh: '湖北', en: 'Hubei', url: 'https://hubei.example/', group: 'hubei', instead: 'nation' };
  assert.deepEqual(parsePlatforms({ platform: [platform, { ...platform, url: 'http://x/' }, null] }), [platform]);
  assert.deepEqual(parsePlatforms(undefined), []);
  assert.deepEqual([...groupsDown({ groups: { hubei: 'down', henan: 'up' } })], ['hubei']);
  assert.deepEqual([...groupsDown(undefined)], []);
});

test('what somebody found when he looked is believed for some hours', () => {
  const now = Date.parse('2026-09-01T08:00:00+08:00');
  const found = { at_s: now / 1_000 - 3_600, platforms: { hubei: 'down', henan: 'up' } };
  assert.deepEqual([...platformsDown(found, now)], ['hubei']);
  assert.deepEqual([...platformsDown(found, now + 86_400_000)], []);
  for (const wrong of [undefined, {}, { at_s: 'x' }, { at_s: now / 1_000 }, { ...found, platforms: 5 }]) assert.deepEqual([...platformsDown(wrong, now)], []);
});

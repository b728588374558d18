import assert from 'node:assert/strict';
import test from 'node:test';
import { parseSections, sectionOf, sectionsOf } from '../page/sections';

test('the newest edition is shown', () => {
  const sections = parseSections({ edition: [{ edition: '2020', sections: [{ id: 'a', zh: '甲', en: 'A' }] }, { edition: '2022', sections: [{ id: 'b', zh: '乙', en: 'B', was: ['a'] }, { id: 'c', zh: '丙', en: 'C' }, { zh: 'x' }] }] })!;
  assert.deepEqual(sections.map(({ id }) => id), ['b', 'c']);
  assert.deepEqual(['a', 'b', 'z', ''].map((id) => sectionOf(sections, id)), ['b', 'b', '', '']);
  assert.deepEqual(sectionsOf(sections, [{ section: 'a' }]).map(({ id }) => id), ['b']);
});

test('what is no file of sections is said so', () => {
  for (const json of [null, 1, {}, { edition: [] }, { edition: [{}] }]) assert.equal(parseSections(json), undefined);
});

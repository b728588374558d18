import assert from 'node:assert/strict';
import { test } from 'node:test';
import { folderIn } from '../page/renewal';

test('the edition that a lesson is by now', () => {
  const id = '4f83d035e57e673b1d664c3c324cc7b4f6a4c2af';
  for (const [described, folder] of [
    [{ package: id, title: '分数' }, `/p/${id}/`],
    [{ package: '../../..', title: '分数' }, undefined],
    [{ package: 7 }, undefined],
    [{}, undefined],
    [[], undefined],
    ['', undefined],
    [null, undefined],
    [undefined, undefined],
  ] as const) {
    assert.equal(folderIn(described), folder, JSON.stringify(described));
  }
});

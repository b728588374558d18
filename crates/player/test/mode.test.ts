import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ceiling, hasPictures, isMode, packageIn, packageOf } from '../page/mode';
import { entryAt } from '../page/entries';
import { parseSlides } from '../page/slides';

const PACKAGE = '0123456789abcdef0123456789abcdef01234567';

test('saving keeps to rungs that cost little, and to the lowest where none does', () => {
  for (const [mode, rates, expected] of [
    ['auto', [50_000, 90_000], -1],
    ['saver', [50_000, 90_000, 150_000, 300_000], 2],
    ['saver', [400_000, 900_000], 0],
    ['saver', [], -1],
    ['sound', [34_000, 66_000], 0],
    ['slides', [34_000, 66_000], 0],
  ] as const) {
    assert.equal(ceiling(mode, rates), expected, `${mode} ${rates}`);
  }
  assert.deepEqual(['auto', 'saver', 'slides', 'sound'].map((mode) => isMode(mode) && hasPictures(mode)), [true, true, false, false]);
  assert.equal(isMode('loud'), false);
});

test('a package is known by the address of its playlists, and by nothing else', () => {
  assert.equal(packageOf(`https://a/p/${PACKAGE}/s0/index.m3u8`), `/p/${PACKAGE}/`);
  assert.equal(packageIn(`#EXTM3U\n#EXT-X-VERSION:4\n../../p/${PACKAGE}/s0/index.m3u8\n`), `/p/${PACKAGE}/`);
  for (const url of ['/p/short/s0/index.m3u8', '/lessons/a/main.m3u8', '']) assert.equal(packageOf(url), undefined);
  assert.equal(packageIn('#EXTM3U\n'), undefined);
});

test('slides are read in order, and what is none is left out', () => {
  const slides = parseSlides([
    { at_ms: 26_400, image: '000026400.jpg' }, { at_ms: 0, image: '000000000.jpg' },
    { at_ms: 1, image: '../../x.jpg' }, { at_ms: -1, image: '000000001.jpg' }, null, 7, { image: '000000001.jpg' },
  ]);
  assert.deepEqual(slides, [{ at: 0, image: '000000000.jpg' }, { at: 26.4, image: '000026400.jpg' }]);
  assert.deepEqual([-1, 0, 26.3, 26.4, 9_000].map((time) => entryAt(slides, time)), [-1, 0, 0, 1, 1]);
  assert.deepEqual(parseSlides({}), []);
});

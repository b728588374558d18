// AV1 for those who can decode it, and only for those.

import assert from 'node:assert/strict';
import { before } from 'node:test';
import { assertNothingFatal, openBrowser, openPage, playLesson, playOn, state, test } from './support.js';

let browser;
before(async (t) => {
  browser = await openBrowser(t);
});

const AV1 = /\/a\d\//;

/** Every path of the lesson that was asked for from now on. */
function asked(page) {
  const paths = [];
  page.on('request', (request) => paths.push(new URL(request.url()).pathname));
  return paths;
}

test('a browser that decodes AV1 plays it, and its H.264 twins are not offered', async (t) => {
  const page = await openPage(t, browser);
  // A device that drops pictures is given smaller ones, and a busy machine without a graphics card is one.
  await page.addInitScript(() => {
    const { getVideoPlaybackQuality } = HTMLVideoElement.prototype;
    HTMLVideoElement.prototype.getVideoPlaybackQuality = function () {
      const { creationTime, totalVideoFrames } = getVideoPlaybackQuality.call(this);
      return { creationTime, totalVideoFrames, droppedVideoFrames: 0, corruptedVideoFrames: 0 };
    };
  });
  const paths = asked(page);
  await playLesson(page);
  const { levels } = await state(page);
  const av1 = levels.filter(({ codec }) => codec.startsWith('av01'));
  assert.ok(av1.length > 0, JSON.stringify(levels));
  for (const { height } of av1) assert.equal(levels.filter((level) => level.height === height).length, 1, `${height}p is offered once`);
  assert.ok(levels.every((level) => level.codec.startsWith('av01') || level.height < av1[0].height), JSON.stringify(levels));

  // By itself: the line is quick, so it leaves the smallest rung for AV1.
  await page.waitForFunction(() => window.airclass.level?.codec.startsWith('av01'));
  await page.waitForFunction(() => document.querySelector('video').videoHeight >= 360);
  await playOn(page, 1);
  assert.ok(paths.some((path) => AV1.test(path)));
  await assertNothingFatal(page);

  // And by hand, down into H.264 and up again: formats change within the lesson.
  const choose = async (level) => {
    await page.click('[data-menu=quality] .menu-button');
    await page.click(`[data-menu=quality] [data-value="${level.index}"]`);
    await page.waitForFunction((height) => document.querySelector('video').videoHeight === height, level.height);
    await playOn(page, 0.5);
  };
  await choose(levels[0]);
  await choose(av1[0]);
  await assertNothingFatal(page);
});

test('a browser that does not decode AV1 never asks for any of it', async (t) => {
  const page = await openPage(t, browser);
  await page.addInitScript(() => {
    const av1 = (type) => /av01|av1/i.test(type);
    for (const source of [window.MediaSource, window.ManagedMediaSource]) {
      if (!source) continue;
      const { isTypeSupported } = source;
      source.isTypeSupported = (type) => !av1(type) && isTypeSupported.call(source, type);
    }
    const { canPlayType } = HTMLMediaElement.prototype;
    HTMLMediaElement.prototype.canPlayType = function (type) {
      return av1(type) ? '' : canPlayType.call(this, type);
    };
    const { addSourceBuffer } = MediaSource.prototype;
    MediaSource.prototype.addSourceBuffer = function (type) {
      if (av1(type)) throw new DOMException('no AV1 here', 'NotSupportedError');
      return addSourceBuffer.call(this, type);
    };
  });
  const paths = asked(page);
  await playLesson(page);
  const { levels } = await state(page);
  assert.ok(levels.length > 2 && levels.every(({ codec }) => codec.startsWith('avc1')), JSON.stringify(levels));
  const top = levels.find(({ height }) => height >= 360);
  await page.click('[data-menu=quality] .menu-button');
  await page.click(`[data-menu=quality] [data-value="${top.index}"]`);
  await page.waitForFunction((height) => document.querySelector('video').videoHeight === height, top.height);
  await playOn(page, 1);
  assert.deepEqual(paths.filter((path) => AV1.test(path)), []);
  await assertNothingFatal(page);
});

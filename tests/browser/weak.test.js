// Lines as villages have them: slow, far away, with stalls and cuts. `line.js` stands between browser and edge.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { openLine } from './line.js';
import { EDGE, LESSON, openBrowser, openPage, playOn, state } from './support.js';

/**
 * Lesson and line run so many times faster than in the village. Not at all: at 2, a machine that was busy with other things
 * has once made a picture stand still that the line had brought in time.
 */
const FASTER = 1;

/** What the console says when the line is cut. */
const CUT = /Failed to load resource/;

let browser;
before(async (t) => {
  browser = await openBrowser(t);
});

/**
 * Opens the lesson at `base` as somebody who likes `preferences`, and notes what came by the first picture. With `fromList` the
 * list comes first, and that is called before the lesson.
 */
async function openLesson(page, base, preferences, fromList) {
  await page.addInitScript((kept) => {
    localStorage.setItem('airclass.preferences', JSON.stringify(kept));
    addEventListener(
      'loadeddata',
      () => {
        const now = performance.now();
        // What it was made of: whatever came while a busy machine was still decoding it came afterwards.
        const resources = performance.getEntriesByType('resource');
        const there = Math.max(...resources.filter(({ name }) => /\/00000\.m4s$/.test(name)).map(({ responseEnd }) => responseEnd));
        const entries = resources.filter((entry) => entry.responseEnd <= there);
        const bytes = (pattern) => entries.filter(({ name }) => pattern.test(name)).reduce((sum, { transferSize }) => sum + transferSize, 0);
        window.firstPicture ??= { ms: Math.round(now), media: bytes(/\/(lessons|p)\/.*\.(m3u8|m4s|mp4)$/), all: bytes(/./) };
      },
      true,
    );
  }, preferences);
  if (fromList) {
    await page.goto(base);
    await page.waitForSelector('.lessons');
    fromList();
    await page.evaluate((id) => (location.hash = `#/lesson/${id}`), LESSON);
  } else {
    await page.goto(`${base}#/lesson/${LESSON}`);
  }
  await page.waitForFunction(() => window.firstPicture);
  if (!(await state(page)).playing) await page.evaluate(() => document.querySelector('video').play());
}

test('a weak line carries a lesson without standing still, and a cut of ten seconds goes unnoticed', async (t) => {
  const line = await openLine(EDGE, { bitsPerSecond: 400_000 * FASTER, roundTripMs: 300 / FASTER, stallShare: 0.03 });
  const page = await openPage(t, browser, { line, expected: CUT });
  const told = page.waitForRequest((request) => /\/s\d\/\d{5}\.m4s$/.test(request.url()) && 'cmcd-session' in request.headers());
  await openLesson(page, line.url, { speed: FASTER });
  // How playing goes is told in fields of the request: a query would be another address to every cache on the way.
  assert.match((await told).headers()['cmcd-session'], /^(msd=\d+,)?sf=h,sid="[0-9a-f]{16}",st=v,v=2$/);
  await playOn(page, 12);
  // A cut of ten seconds, and the waits between attempts, which do not run faster.
  await page.waitForFunction(() => window.airclass.buffered > 24);
  line.cut(10_000 / FASTER);
  await playOn(page, 22);
  const { stalls, buffered } = await state(page);
  assert.equal(stalls, 0);
  assert.ok(buffered > 0);
});

test('on 120 kbit/s slides and sound run', async (t) => {
  const line = await openLine(EDGE, { bitsPerSecond: 4_000_000, roundTripMs: 100 });
  const page = await openPage(t, browser, { line });
  // The page is there already; the lesson, and what plays it, come over the slow line.
  await openLesson(page, line.url, { mode: 'slides' }, () => (line.bitsPerSecond = 120_000));
  await page.waitForFunction(() => document.querySelector('.slide-image').naturalWidth > 0);
  await playOn(page, 5);
  const { stalls, mode, bytes } = await state(page);
  assert.deepEqual([stalls, mode], [0, 'slides']);
  const moving = await page.evaluate(() => performance.getEntriesByType('resource').filter(({ name }) => /\/[as]\d\//.test(name)).length);
  assert.equal(moving, 0, 'no moving pictures are fetched');
  t.diagnostic(`${bytes} bytes for ${Math.round((await state(page)).position)} s`);
  // Back to pictures, at the same place.
  const { position } = await state(page);
  line.bitsPerSecond = 4_000_000;
  await page.click('[data-menu=mode] .menu-button');
  await page.click('[data-menu=mode] [data-value=auto]');
  await page.waitForFunction((at) => window.airclass.playing && window.airclass.level && Math.abs(window.airclass.position - at) < 8, position);
  await page.waitForSelector('.slide', { state: 'hidden' });
  await playOn(page, 1);
});

test('the first picture takes little', async (t) => {
  const line = await openLine(EDGE, { bitsPerSecond: 1_000_000, roundTripMs: 60 });
  const page = await openPage(t, browser, { line });
  await openLesson(page, line.url, {});
  const { ms, media, all } = await page.evaluate(() => window.firstPicture);
  t.diagnostic(`first picture after ${ms} ms, ${line.bytes} bytes in all, of which ${media} of the lesson`);
  assert.ok(media <= 60_000, `${media} bytes of the lesson before its first picture`);
  // Four seconds of this line: what they hold, less the ways there and back of the longest chain of questions.
  const holds = (1_000_000 / 8) * (4 - 10 * 0.06);
  assert.ok(all <= holds, `${all} bytes before the first picture, ${holds} in four seconds`);
});

// Television as any page with hls.js shows it, over many changes of programme; and a lesson of the plan before its hour.

import assert from 'node:assert/strict';
import { before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CHANNEL, EDGE, LATE, openBrowser, openPage, saidInNotice, test } from './support.js';

const HLS = fileURLToPath(new URL('../../crates/player/node_modules/hls.js/dist/hls.min.js', import.meta.url));

/** Changes of programme that are played over. */
const CHANGES = 20;
/** Seconds of a programme: the plan of the journey has programmes of two segments. */
const PROGRAMME_S = 9.6;
/** Seconds behind the beginning of the window: what is there when the player asks has not left it. */
const BEGIN_S = 48;
/** The longest that it may take on a busy machine: it takes 25 s on an idle one. A bound, not a pace. */
const LONGEST_MS = 360_000;
/** As fast as Chromium goes with sound and picture; `CHANNEL_SPEED=1` shows it as a living room does, in four minutes. */
const SPEED = Number(process.env.CHANNEL_SPEED ?? 8);

let browser;
before(async (t) => {
  browser = await openBrowser(t);
});

test('a channel plays over twenty programmes without a stall, and its numbers never step back', async (t) => {
  const page = await openPage(t, browser);
  const html = '<!doctype html><link rel="icon" href="data:,"><video muted></video>';
  await page.route(`${EDGE}television`, (route) => route.fulfill({ contentType: 'text/html', body: html }));
  await page.goto(`${EDGE}television`);
  await page.addScriptTag({ path: HLS });
  await page.evaluate(watch, { url: `/channels/${CHANNEL}/main.m3u8`, begin: BEGIN_S });
  // All of it first: what stands still then is the media's fault and not the line's.
  const enough = (CHANGES + 2) * PROGRAMME_S;
  await page.waitForFunction((seconds) => window.seen.ahead() >= seconds, enough);
  await page.evaluate((speed) => window.seen.play(speed), SPEED);
  await page.waitForFunction((changes) => window.seen.breaks.length > changes || window.seen.errors.length > 0, CHANGES, { timeout: LONGEST_MS });
  const { errors, jumps, back, lists, breaks, pictures } = await page.evaluate(() => ({ ...window.seen, pictures: document.querySelector('video').getVideoPlaybackQuality().totalVideoFrames }));
  assert.deepEqual(errors, []);
  assert.equal(jumps, 0, 'nothing is passed over');
  assert.equal(back, 0);
  assert.ok(lists > 3, `${lists} playlists`);
  assert.deepEqual(breaks, breaks.map((_, place) => breaks[0] + place), 'each break is counted once');
  assert.ok(pictures > 100, `${pictures} pictures`);
});

/** In the page: a player and what it met. */
function watch({ url, begin }) {
  const video = document.querySelector('video');
  const { Hls } = window;
  const seen = { errors: [], jumps: 0, back: 0, lists: 0, breaks: [] };
  window.seen = seen;
  const hls = new Hls({ startPosition: begin, startLevel: 0, maxBufferLength: 600, maxMaxBufferLength: 600 });
  hls.autoLevelCapping = 0;
  let [first, last] = [0, 0];
  hls.on(Hls.Events.LEVEL_UPDATED, (_, { details }) => {
    if (details.startSN < first || details.endSN < last) seen.back += 1;
    [first, last] = [details.startSN, details.endSN];
    seen.lists += 1;
  });
  hls.on(Hls.Events.FRAG_CHANGED, (_, { frag }) => {
    if (seen.breaks.at(-1) !== frag.cc) seen.breaks.push(frag.cc);
  });
  hls.on(Hls.Events.ERROR, (_, { details, fatal, reason }) => {
    // hls.js itself gave a download up for another; or all is there, and a busy machine decodes later than eight times as fast.
    const decodesLate = details === Hls.ErrorDetails.BUFFER_STALLED_ERROR && video.playbackRate > 1 && seen.ahead() > 1;
    if (fatal || !(details === Hls.ErrorDetails.INTERNAL_ABORTED || decodesLate)) seen.errors.push(`${details} ${reason ?? ''}`);
  });
  seen.ahead = () => (video.buffered.length === 1 ? video.buffered.end(0) - Math.max(video.currentTime, video.buffered.start(0)) : 0);
  seen.play = (speed) => {
    // As hls.js does where two programmes do not meet.
    video.addEventListener('seeking', () => {
      seen.jumps += 1;
    });
    video.playbackRate = speed;
    return video.play();
  };
  hls.loadSource(url);
  hls.attachMedia(video);
}

test('a lesson of the plan says before its hour when it opens and which channel shows it', async (t) => {
  const page = await openPage(t, browser, { expected: /Failed to load resource/, timezoneId: 'Asia/Urumqi' });
  await page.goto(`${EDGE}#/lesson/${LATE}`);
  await saidInNotice(page, /：9月1日 13:00 开放[^]*电视频道“初中”9月1日 13:00 播出[^]*还有 \d+:\d\d/);
  // Its name is known, and is the page's: not its id, which was shown for as long as its description may not be read.
  const [name] = (await page.locator('.notice-what').innerText()).split('：');
  assert.equal(await page.locator('h1').innerText(), name);
  assert.equal(await page.title(), `${name} · 空中课堂`);
});

// Chapters, and what is shown over the bar where one is about to go.

import assert from 'node:assert/strict';
import { before } from 'node:test';
import { assertNothingFatal, openBrowser, openPage, playKept, playLesson, playOn, press, test, until } from './support.js';

let browser;
before(async (t) => {
  browser = await openBrowser(t);
});

/** What the journey wrote beside the lesson: where each begins in seconds, and its title. */
const CHAPTERS = [[0, '导入'], [20, '认识'], [40.5, '练习 1 < 2']];

const listed = (page) => page.locator('.chapters li').allInnerTexts();
const chapterNow = (page) => page.evaluate(() => [...document.querySelectorAll('.chapter')].findIndex((item) => item.ariaCurrent === 'true'));

/** What is asked for of the storyboard. */
function picturesAsked(page) {
  const asked = [];
  page.on('request', (request) => /\/thumbs\//.test(request.url()) && asked.push(request.url().replace(/.*\//, '')));
  return asked;
}

/** The point of the bar at which a press goes to `seconds`. */
function pointOf(page, seconds) {
  return page.evaluate((at) => {
    const { left, top, width, height } = document.querySelector('.seek').getBoundingClientRect();
    const thumb = 1.05 * parseFloat(getComputedStyle(document.documentElement).fontSize);
    return [left + thumb / 2 + (width - thumb) * (at / window.airclass.duration), top + height / 2];
  }, seconds);
}

/** What is said over the bar, once it says this time and shows, or does not show, a picture. */
async function peeked(page, time, pictured) {
  await page.waitForFunction(
    ([wanted, shown]) => document.querySelector('.peek:not([hidden]) .time')?.textContent === wanted && document.querySelector('.peek-picture').hidden !== shown,
    [time, pictured],
  );
  return page.locator('.peek-title').innerText();
}

test('chapters are listed, marked on the bar, and gone to', async (t) => {
  const page = await openPage(t, browser);
  await playLesson(page);
  await page.waitForSelector('.chapters');
  assert.deepEqual((await listed(page)).map((text) => text.split(/\s+/).join(' ')), ['0:00 导入', '0:20 认识', '0:40 练习 1 < 2']);
  assert.equal(await page.locator('.marks span').count(), CHAPTERS.length - 1, 'the beginning needs no mark');
  assert.equal(await chapterNow(page), 0);
  await page.getByRole('button', { name: '练习' }).click();
  await page.waitForFunction(() => window.airclass.playing && window.airclass.position >= 40.5 && window.airclass.position < 50);
  assert.equal(await chapterNow(page), 2);
  // By the keyboard, too, which is where it was.
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => window.airclass.playing && window.airclass.position >= 20 && window.airclass.position < 30);
  assert.equal(await chapterNow(page), 1);
  // After the end as well: who chooses one wants to see it.
  await page.evaluate(() => (document.querySelector('video').currentTime = window.airclass.duration - 0.5));
  await page.waitForFunction(() => window.airclass.phase === 'ended');
  await page.getByRole('button', { name: '导入' }).click();
  await page.waitForFunction(() => window.airclass.playing && window.airclass.position < 20);
  await page.click('.back');
  await page.waitForSelector('.lessons .card');
  await assertNothingFatal(page);
});

test('a lesson without chapters asks for none and shows none', async (t) => {
  const page = await openPage(t, browser);
  const asked = [];
  page.on('request', (request) => /chapters\.json/.test(request.url()) && asked.push(request.url()));
  await page.route('**/main.m3u8', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: (await response.text()).replace(/#EXT-X-SESSION-DATA.*\n/, '') });
  });
  await playLesson(page);
  await page.waitForSelector('[data-menu=subtitles]');
  assert.deepEqual([asked, await page.locator('.chapters, .marks').count()], [[], 0]);
});

test('chapters that do not come are asked for again', async (t) => {
  const page = await openPage(t, browser, { expected: /ERR_FAILED/ });
  let asked = 0;
  await page.route('**/chapters.json', (route) => ((asked += 1) === 1 ? route.abort() : route.continue()));
  await playLesson(page);
  await page.waitForSelector('.chapters');
  assert.equal(asked, 2);
});

test('over the bar stand time, chapter and picture of where a press goes, and nothing is fetched for it before', async (t) => {
  const page = await openPage(t, browser);
  const asked = picturesAsked(page);
  await playLesson(page);
  await page.waitForSelector('.chapters');
  await page.focus('input.seek');
  await page.keyboard.press('ArrowRight');
  assert.deepEqual(asked, [], 'the keyboard goes there at once');
  // The first touch fetches the part that shows it; what moves on then is shown.
  await page.mouse.move(...(await pointOf(page, 10)));
  await page.waitForSelector('.peek', { state: 'attached' });
  await page.mouse.move(...(await pointOf(page, 25)));
  assert.equal(await peeked(page, '0:25', true), CHAPTERS[1][1]);
  assert.deepEqual(asked, ['thumbs.vtt', '00000.jpg']);
  const { position, picture } = await page.locator('.peek-picture').evaluate(({ style }) => ({ position: style.backgroundPosition, picture: style.backgroundImage }));
  assert.match(picture, /\/thumbs\/00000\.jpg"\)$/);
  // 25 seconds are in the sixth segment of 4.8, of five in a row.
  assert.equal(position, '0rem -5.625rem');
  await page.mouse.move(...(await pointOf(page, 50)));
  assert.equal(await peeked(page, '0:50', true), CHAPTERS[2][1]);
  assert.equal(asked.length, 2, 'a sheet is fetched once');
  const [right, width] = await page.evaluate(() => [document.querySelector('.peek').getBoundingClientRect().right, document.querySelector('.bar').getBoundingClientRect().right]);
  assert.ok(right <= width, `${right} > ${width}`);
  await page.mouse.move(5, 5);
  await page.waitForSelector('.peek', { state: 'hidden' });
  await assertNothingFatal(page);
});

test('a finger that drags sees where it is, and plays there when it is lifted', async (t) => {
  const page = await openPage(t, browser, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  await playLesson(page);
  await page.waitForSelector('.chapters');
  const finger = await page.context().newCDPSession(page);
  const touch = async (type, seconds) => {
    const [x, y] = seconds === undefined ? [] : await pointOf(page, seconds);
    await finger.send('Input.dispatchTouchEvent', { type, touchPoints: seconds === undefined ? [] : [{ x, y }] });
  };
  await page.evaluate(() => document.querySelector('video').addEventListener('seeking', () => (window.gone = true)));
  await touch('touchStart', 5);
  await page.waitForSelector('.peek', { state: 'attached' });
  for (const seconds of [15, 30, 45]) await touch('touchMove', seconds);
  await page.waitForFunction(() => document.querySelector('.peek:not([hidden]) .peek-picture:not([hidden])'));
  assert.equal(await page.locator('.peek-title').innerText(), CHAPTERS[2][1]);
  assert.ok(await page.evaluate(() => !window.gone && document.documentElement.scrollWidth <= 360));
  await touch('touchEnd');
  await page.waitForFunction(() => window.airclass.playing && window.airclass.position > 40);
  await page.waitForSelector('.peek', { state: 'hidden' });
});

test('who saves data is told the time and the chapter, and pays for no picture', async (t) => {
  const page = await openPage(t, browser);
  const asked = picturesAsked(page);
  await page.addInitScript(() => Object.defineProperty(navigator, 'connection', { value: { saveData: true } }));
  await playLesson(page);
  await page.waitForSelector('.chapters');
  for (const mode of ['saver', 'auto']) {
    await page.click('[data-menu=mode] .menu-button');
    await page.click(`[data-menu=mode] [data-value=${mode}]`);
    await page.mouse.move(...(await pointOf(page, 10)));
    await page.waitForSelector('.peek', { state: 'attached' });
    await page.mouse.move(...(await pointOf(page, 25)));
    assert.equal(await peeked(page, '0:25', false), CHAPTERS[1][1]);
    // A hand that rests for longer than it has to.
    await playOn(page, 0.5);
  }
  assert.deepEqual(asked, []);
});

test('small pictures that do not come are asked for at the next touch', async (t) => {
  const page = await openPage(t, browser, { expected: /ERR_FAILED/ });
  const asked = picturesAsked(page);
  let shut = true;
  await page.route('**/thumbs/*', (route) => (shut ? route.abort() : route.continue()));
  await playLesson(page);
  await page.waitForSelector('.chapters');
  await page.mouse.move(...(await pointOf(page, 10)));
  await page.waitForSelector('.peek', { state: 'attached' });
  await page.mouse.move(...(await pointOf(page, 25)));
  await until(() => asked.length === 1, 'asked for');
  await peeked(page, '0:25', false);
  shut = false;
  await page.mouse.move(...(await pointOf(page, 30)));
  await peeked(page, '0:30', true);
});

test('a lesson that is replaced while one watches has the new chapters and subtitles', async (t) => {
  const page = await openPage(t, browser);
  const other = 'f'.repeat(40);
  let first = '';
  await page.route(`**/p/${other}/**`, (route) => {
    const url = route.request().url();
    const chapters = [{ chapter: 1, 'start-time': 0, duration: 64, titles: [{ language: 'zh-CN', title: '新的' }] }];
    return /chapters/.test(url) ? route.fulfill({ json: chapters }) : route.continue({ url: url.replace(other, first) });
  });
  await playLesson(page);
  await page.waitForSelector('.chapters');
  first = /[0-9a-f]{40}/.exec((await page.evaluate(() => window.airclass.package)))[0];
  await page.route('**/lessons/*/main.m3u8', async (route) => {
    const response = await route.fetch();
    const body = (await response.text()).split(first).join(other).replaceAll('简体中文', '新字幕');
    await route.fulfill({ response, body });
  });
  // Back from sound alone the lesson's address is asked again.
  for (const mode of ['sound', 'auto']) {
    await page.click('[data-menu=mode] .menu-button');
    await page.click(`[data-menu=mode] [data-value=${mode}]`);
    await page.waitForFunction((wanted) => window.airclass.playing && window.airclass.mode === wanted, mode);
  }
  await page.waitForFunction((folder) => window.airclass.package.includes(folder), other);
  await page.waitForFunction(() => document.querySelector('.chapters')?.innerText.includes('新的'));
  await page.waitForFunction(() => document.querySelector('[data-menu=subtitles]')?.textContent.includes('新字幕'));
  assert.deepEqual(await page.evaluate(() => ['.chapters', '.marks', '.subtitles', '[data-menu=subtitles]'].map((name) => document.querySelectorAll(name).length)), [1, 1, 1, 1]);
});

test('a kept lesson has its chapters with it', async (t) => {
  const page = await openPage(t, browser, { expected: /Failed to load resource/ });
  await playLesson(page);
  await playKept(page);
  await page.getByRole('button', { name: '练习' }).click();
  await page.waitForFunction(() => window.airclass.playing && window.airclass.position >= 40.5);
});

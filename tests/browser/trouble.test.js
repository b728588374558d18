// What goes wrong on the way, what the page says about it, and how it comes back.

import assert from 'node:assert/strict';
import { before } from 'node:test';
import { EDGE, LESSON, openBrowser, openList, openPage, playLesson, playOn, saidInNotice, state, test, until } from './support.js';

/** Segments behind the first forty seconds: what is before them plays for as long as a busy machine needs to see the notice. */
const LATER = /\/0000[89]\.m4s$|\/000[1-9]\d\.m4s$/;

/** Seconds that are behind the first of these. */
const THERE_S = 45;

/** What the console says when a test cuts the line. */
const CUT = /Failed to load resource/;

let browser;
before(async (t) => {
  browser = await openBrowser(t);
});

test('a lesson that is not there is said so, with a way back', async (t) => {
  const page = await openPage(t, browser, { expected: CUT });
  await page.goto(`${EDGE}#/lesson/no-such-lesson`);
  await page.waitForSelector('.notice[data-size=panel]');
  assert.match(await page.locator('.notice').innerText(), /找不到这节课/);
  assert.equal((await state(page)).phase, 'stopped');
  await page.click('.notice a');
  await page.waitForSelector('.list');
});

test('a cut line plays on from what is there and comes back by itself', async (t) => {
  const page = await openPage(t, browser, { expected: CUT });
  await page.route(LATER, (route) => route.abort());
  await playLesson(page);
  await page.waitForSelector('.notice[data-size=strip]');
  assert.match(await page.locator('.notice').innerText(), /先播放已经下载的部分/);
  await playOn(page, 0.5);
  await page.unroute(LATER);
  await page.waitForSelector('.notice', { state: 'hidden' });
  await page.waitForFunction((there) => window.airclass.position + window.airclass.buffered > there, THERE_S);
  const { errors } = await state(page);
  assert.ok(errors.some((error) => error.kind === 'network'));
  // A picture that a busy machine decodes late has nothing to do with the line.
  assert.deepEqual(errors.filter((error) => error.kind !== 'network' && error.detail !== 'bufferStalledError'), []);
});

test('a lesson that says "not open yet" of its description while it plays is asked again', async (t) => {
  const page = await openPage(t, browser, { expected: /status of 403/ });
  const asked = [];
  await page.route('**/lesson.json', (route) => {
    asked.push(route.request());
    return asked.length < 3 ? route.fulfill({ status: 403, body: 'not open yet' }) : route.continue();
  });
  await playLesson(page);
  await page.waitForFunction(() => /示例教师/.test(document.querySelector('.about').textContent));
  assert.equal(asked.length, 3);
});

test('what a slow device stores after the line broke does not end the attempts', async (t) => {
  const page = await openPage(t, browser, { expected: CUT });
  // Storing takes longer than the line's failures in a row: pictures that came before are stored when loading has stopped.
  await page.addInitScript(() => {
    const { addSourceBuffer } = MediaSource.prototype;
    MediaSource.prototype.addSourceBuffer = function (type) {
      const buffer = addSourceBuffer.call(this, type);
      buffer.addEventListener('updateend', (event) => {
        if (event.late) return;
        event.stopImmediatePropagation();
        setTimeout(() => buffer.dispatchEvent(Object.assign(new Event('updateend'), { late: true })), 250);
      });
      return buffer;
    };
  });
  const sound = /\/audio\/\w+\/000(0[3-9]|1\d)\.m4s$/;
  await page.route(sound, (route) => route.abort());
  await playLesson(page);
  await page.waitForSelector('.notice[data-size=strip]');
  // Pictures that come do not hide that the sound does not.
  await page.waitForFunction(() => window.airclass.errors.filter((error) => error.fatal).length > 1);
  assert.ok(await page.locator('.notice').isVisible());
  await page.unroute(sound);
  await page.waitForFunction(() => window.airclass.position + window.airclass.buffered > 15);
  await page.waitForSelector('.notice', { state: 'hidden' });
});

test('a device that knows that it is offline says so, and goes on once it is not', async (t) => {
  const page = await openPage(t, browser, { expected: CUT });
  await page.route(LATER, async (route) => {
    await page.context().setOffline(true);
    await route.abort();
  });
  await playLesson(page);
  await page.waitForSelector('.notice[data-size=strip]');
  assert.match(await page.locator('.notice').innerText(), /先播放已经下载的部分/);
  await page.unroute(LATER);
  await page.context().setOffline(false);
  await page.waitForFunction((there) => window.airclass.position + window.airclass.buffered > there, THERE_S);
  await page.waitForSelector('.notice', { state: 'hidden' });
});

test('a line dead from the start is said plainly, with a countdown and a button that works', async (t) => {
  const page = await openPage(t, browser, { expected: CUT });
  await page.route('**/*.m4s', (route) => route.abort());
  await (await openList(page)).click();
  await page.waitForSelector('.notice[data-size=panel]');
  assert.match(await page.locator('.notice').innerText(), /网络断开了[\s\S]*检查网络/);
  await page.waitForFunction(() => /自动重试|正在重试/.test(document.querySelector('.notice-count').textContent));
  await page.unroute('**/*.m4s');
  // An attempt that was due anyhow may have taken it away by now, which is as well.
  await page.evaluate(() => document.querySelector('.notice [data-control=retry]')?.click());
  await page.waitForFunction(() => window.airclass.playing && window.airclass.position > 0.5);
  await page.waitForSelector('.notice', { state: 'hidden' });
});

test("the player's own script that does not arrive is asked for again", async (t) => {
  const page = await openPage(t, browser, { expected: CUT });
  const asked = [];
  await page.route(/\/assets\/engine-hls-/, (route) => (asked.push(1), asked.length < 3 ? route.abort() : route.continue()));
  await page.goto(`${EDGE}#/lesson/${LESSON}`);
  await saidInNotice(page, /秒后自动重试|正在重试/);
  await page.waitForFunction(() => window.airclass.levels.length > 0);
  await page.waitForSelector('.notice', { state: 'hidden' });
  assert.equal(asked.length, 3);
});

test('a browser that never asks again for a script that did not arrive gets the page anew, once', async (t) => {
  const page = await openPage(t, browser, { expected: CUT });
  let [loads, shut] = [0, true];
  page.on('domcontentloaded', () => (loads += 1));
  await page.route(/\/assets\/engine-hls-/, (route) => (shut ? route.abort() : route.continue()));
  await page.goto(`${EDGE}#/lesson/${LESSON}`);
  await until(() => loads > 1, 'it is fetched anew');
  await saidInNotice(page, /秒后自动重试/);
  await page.waitForFunction(() => /[5-9] 秒后自动重试/.test(document.querySelector('.notice').innerText));
  assert.equal(loads, 2);
  shut = false;
  await page.click('[data-control=retry]');
  await page.waitForFunction(() => window.airclass.levels.length > 0);
});

test('another part of the page that does not arrive is said so, and asked for again', async (t) => {
  const page = await openPage(t, browser, { expected: CUT });
  let asked = 0;
  await page.route(/\/assets\/resources-/, (route) => ((asked += 1), asked < 3 ? route.abort() : route.continue()));
  await page.goto('/#/resources');
  await page.waitForSelector('[data-advice=part] button');
  await page.waitForFunction(() => /课本和资料/.test(document.querySelector('h1')?.textContent));
  assert.equal(asked, 3);
  assert.match(page.url(), /#\/resources$/);
});

test('the form for a class code that does not arrive is said so where it would be, and asked for again', async (t) => {
  const page = await openPage(t, browser, { expected: CUT });
  let asked = 0;
  await page.route(/\/assets\/class-/, (route) => ((asked += 1), asked < 3 ? route.abort() : route.continue()));
  await page.goto('/');
  await page.click('.class summary');
  await page.waitForSelector('.class[open] [data-advice=part] button');
  await page.waitForSelector('.class[open] #class-code');
  assert.equal(asked, 3);
  assert.equal(await page.locator('.class [data-advice=part]').count(), 0);
});

test('what counts for a class and does not arrive is asked for again while the lesson plays', async (t) => {
  const page = await openPage(t, browser, { expected: CUT });
  let asked = 0;
  await page.route(/\/assets\/counting-/, (route) => ((asked += 1), asked < 2 ? route.abort() : route.continue()));
  await page.route(`**/lessons/${LESSON}/lesson.json`, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), stage: 'junior', grade: 9 } });
  });
  await page.addInitScript(() => localStorage.setItem('airclass.class', JSON.stringify({ code: '22222-22222', lessons: {} })));
  await playLesson(page);
  await page.waitForSelector('.counting:not([hidden])');
  assert.equal(asked, 2);
});

test('a lesson that does not come is called by the name that it had in the list', async (t) => {
  const page = await openPage(t, browser, { expected: CUT });
  await page.route('**/lessons/**', (route) => route.abort());
  const lesson = await openList(page);
  const title = (await lesson.locator('.card-title').innerText()).trim();
  await lesson.click();
  await saidInNotice(page, /网络断开了/);
  assert.equal(await page.innerText('h1'), title);
});

test('a busy edge is told apart from a dead line', async (t) => {
  const page = await openPage(t, browser, { expected: CUT });
  await page.route('**/lessons/*/main.m3u8', (route) => route.fulfill({ status: 503, headers: { 'retry-after': '1' }, body: '' }));
  await (await openList(page)).click();
  await page.waitForSelector('.notice[data-size=panel]');
  assert.match(await page.locator('.notice').innerText(), /访问的人太多/);
  await page.unroute('**/lessons/*/main.m3u8');
  await page.waitForFunction(() => window.airclass.playing);
});

test('a pupil before the turn keeps the place, and may go on where that is allowed', async (t) => {
  const page = await openPage(t, browser, { expected: CUT });
  const told = { error: 'waiting', wait_s: 5, ahead: 7, ticket: '1.usual.7.1788.00ab.cd', soft: false, channel: '初中', replay: null };
  const asked = [];
  await page.route(/\/main\.m3u8/, async (route) => {
    asked.push(new URL(route.request().url()).search);
    // Where the page has asked before its engine was there, the engine asks anew, and what that is answered is told.
    const soft = (await page.evaluate(() => window.told)) ? { ahead: null, ticket: null, soft: true, wait_s: 600 } : {};
    return route.fulfill({ status: 503, headers: { 'retry-after': '5' }, contentType: 'application/json', body: JSON.stringify({ ...told, ...soft }) });
  });
  // From the beginning on, in the page: from outside it may be looked at only when the turn has come.
  await page.addInitScript(() => {
    [window.told, window.early] = [false, false];
    const look = () => {
      const text = document.querySelector('.notice:not([hidden])')?.innerText ?? '';
      window.told = window.told || /前面还有 7 人[^]*电视频道“初中”[^]*后轮到您/.test(text);
      if (text.includes('前面还有')) window.early = window.early || document.querySelector('[data-control=go-on]').offsetParent !== null;
      requestAnimationFrame(look);
    };
    look();
  });
  await page.goto(`${EDGE}#/lesson/${LESSON}`);
  await page.waitForSelector('.notice[data-size=panel]');
  await page.click('[data-control=go-on]');
  await until(() => asked.includes('?continue=1'), 'it goes on');
  assert.deepEqual([...new Set(asked)], ['', '?ticket=1.usual.7.1788.00ab.cd', '?continue=1']);
  assert.deepEqual(await page.evaluate(() => [window.told, window.early]), [true, false]);
});

for (const letters of ['100%', '200%']) {
  test(`on the narrowest phone nothing is cut off of what is said before the turn, with letters of ${letters}`, async (t) => {
    const page = await openPage(t, browser, { expected: CUT, viewport: { width: 320, height: 640 }, hasTouch: true });
    const json = { error: 'waiting', wait_s: 40, ahead: 7, ticket: 'a.b', soft: true, channel: '初中', title: '分数的初步认识', replay: new Date().toISOString() };
    await page.route(/\/main\.m3u8/, (route) => route.fulfill({ status: 503, headers: { 'retry-after': '40' }, json }));
    await page.goto(`${EDGE}#/lesson/${LESSON}`);
    await page.evaluate((size) => (document.documentElement.style.fontSize = size), letters);
    await page.waitForSelector('[data-control=go-on]');
    const cut = await page.evaluate(() => {
      const { top, bottom, left, right } = document.querySelector('.stage').getBoundingClientRect();
      return [...document.querySelectorAll('.notice *')]
        .map((element) => [element.textContent, element.getBoundingClientRect()])
        .filter(([, box]) => box.width > 0 && (box.top < top || box.bottom > bottom || box.left < left || box.right > right));
    });
    assert.deepEqual(cut, []);
  });
}

test("the system's own player keeps a place in a long line", async (t) => {
  const page = await openPage(t, browser, { expected: CUT });
  await page.addInitScript(() => {
    for (const name of ['MediaSource', 'ManagedMediaSource', 'WebKitMediaSource']) delete window[name];
    HTMLMediaElement.prototype.canPlayType = () => 'maybe';
  });
  const told = { error: 'waiting', wait_s: 1, ahead: 7, ticket: '1.usual.7.1788.00ab.cd', soft: false, channel: '初中', replay: null };
  let asked = 0;
  await page.route(/\/main\.m3u8/, (route) => {
    if (route.request().resourceType() === 'fetch') asked += 1;
    return route.fulfill({ status: 503, headers: { 'retry-after': '1' }, contentType: 'application/json', body: JSON.stringify(told) });
  });
  await page.goto(`${EDGE}#/lesson/${LESSON}`);
  await until(() => asked > 18, 'it asks on');
  await page.waitForSelector('.notice[data-size=panel]');
  assert.match(await page.locator('.notice').innerText(), /前面还有 7 人/);
});

test('a lesson before its hour says when, where television shows it and when again, and opens by itself', async (t) => {
  const page = await openPage(t, browser, { expected: CUT, timezoneId: 'Asia/Urumqi' });
  const told = {
    error: 'not_open_yet', opens_at: '2026-09-01T00:30:00Z', retry_after_s: 3, title: '函数',
    airings: [{ channel: '初中', at: '2026-09-01T00:30:00Z', again: false }, { channel: '初中', at: '2026-09-01T10:00:00Z', again: true }],
  };
  let open = false;
  const shut = (route) => route.fulfill({ status: 403, headers: { 'retry-after': '3' }, contentType: 'application/json', body: JSON.stringify(told) });
  await page.route(/\/lesson\.json$/, (route) => (open ? route.continue() : shut(route)));
  await page.route(/\/main\.m3u8$/, (route) => {
    if (new URL(route.request().url()).pathname !== `/lessons/${LESSON}/main.m3u8`) return route.continue();
    return open ? route.continue() : shut(route);
  });
  await page.goto(`${EDGE}#/lesson/${LESSON}`);
  await saidInNotice(page, /函数：9月1日 08:30 开放[^]*电视频道“初中”9月1日 08:30 播出[^]*重播：9月1日 18:00[^]*还有 0:0\d/);
  assert.equal(await page.isVisible('[data-control=retry]'), false);
  open = true;
  await page.waitForFunction(() => window.airclass.phase !== 'opening' && window.airclass.levels.length > 0);
  await page.waitForSelector('.notice', { state: 'hidden' });
  // What it is called was shut, too.
  await page.waitForFunction((id) => !document.querySelector('h1').textContent.includes(id), LESSON);
});

test('a device that slept until the bell asks as soon as it is awake, whatever its clock says', async (t) => {
  const page = await openPage(t, browser, { expected: CUT });
  const HOUR_S = 3_600;
  const opens = new Date(Date.now() + HOUR_S * 1_000).toISOString();
  const told = { error: 'not_open_yet', opens_at: opens, retry_after_s: HOUR_S, title: '函数', airings: [] };
  let open = false;
  const shut = (route) => route.fulfill({ status: 403, contentType: 'application/json', body: JSON.stringify(told) });
  await page.route(`**/lessons/${LESSON}/main.m3u8`, (route) => (open ? route.continue() : shut(route)));
  // A clock that is a day behind, and goes on while timers stand still.
  await page.addInitScript(() => {
    const wall = Date.now.bind(Date);
    window.ahead = -86_400_000;
    Date.now = () => wall() + window.ahead;
  });
  const sleep = (seconds) => page.evaluate((seconds) => void (window.ahead += seconds * 1_000), seconds);
  await page.goto(`${EDGE}#/lesson/${LESSON}`);
  // To some minutes, which a busy machine may take for a page.
  await saidInNotice(page, /还有 (5\d:\d\d|1:00:00)/);
  await sleep(HOUR_S / 2);
  await saidInNotice(page, /还有 (2\d:\d\d|30:00)/);
  open = true;
  await sleep(HOUR_S / 2);
  await page.waitForFunction(() => window.airclass.levels.length > 0);
  await page.waitForSelector('.notice', { state: 'hidden' });
});

test('a lesson without its description still plays', async (t) => {
  const page = await openPage(t, browser, { expected: CUT });
  await page.route('**/lessons/*/lesson.json', (route) => route.abort());
  await playLesson(page);
  await playOn(page, 0.5);
});

test('damaged bytes do not end the lesson', async (t) => {
  const page = await openPage(t, browser, { expected: CUT });
  let damaged = 0;
  await page.route(/\/[as]\d\/00001\.m4s$/, async (route) => {
    if (damaged > 0) return route.continue();
    damaged += 1;
    const body = await (await route.fetch()).body();
    body.fill(0, 8, Math.min(body.length, 4000));
    await route.fulfill({ status: 200, contentType: 'video/iso.segment', body });
  });
  await playLesson(page);
  await page.waitForFunction(() => window.airclass.position > 10);
  assert.equal(damaged, 1);
});

test('a device that cannot play says so, and where television shows the lesson', async (t) => {
  const page = await openPage(t, browser, { expected: CUT });
  await page.addInitScript(() => {
    for (const name of ['MediaSource', 'ManagedMediaSource', 'WebKitMediaSource']) delete window[name];
    HTMLMediaElement.prototype.canPlayType = () => '';
  });
  const soon = Date.now() + 3_600_000;
  const programme = { lesson: LESSON, start: new Date(soon).toISOString(), end: new Date(soon + 1_200_000).toISOString() };
  await page.route('**/timetable/*.json', (route) => route.fulfill({ json: { channels: [{ channel: 'g7', title: '初一', programmes: [programme] }] } }));
  await page.goto(`${EDGE}#/lesson/${LESSON}`);
  await page.waitForFunction(() => /浏览器太旧[^]*电视频道“初一”今天/.test(document.querySelector('.notice')?.innerText ?? ''));
});

test('without a line the lessons on the device are offered', async (t) => {
  const page = await openPage(t, browser, { expected: CUT });
  await page.route(/\/(lessons|timetable)\//, (route) => route.abort());
  await page.goto(`${EDGE}#/lesson/${LESSON}`);
  await page.waitForSelector('.notice[data-size=panel]');
  assert.match(await page.locator('.notice').innerText(), /网络断开了[^]*没有网络也能看/);
  await page.click('.notice a[href="#/kept"]');
  await page.waitForSelector('.kept-file');
});

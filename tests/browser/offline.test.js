// Lessons on the device: kept by the page, and in a file.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before } from 'node:test';
import { EDGE, LESSON, openBrowser, openPage, playLesson, playOn, press, state, test } from './support.js';

/** What the console says of a line that is not there. */
const CUT = /Failed to load resource/;

/** A part of a lesson, as the page asks for it. */
const PIECE_BYTES = 512 * 1024;

let browser;
before(async (t) => {
  browser = await openBrowser(t);
});

test('a lesson that was kept plays without a network, the page too, and is deleted on request', async (t) => {
  const page = await openPage(t, browser, { expected: CUT });
  const day = (ahead) => new Date(Date.now() + 8 * 3_600_000 + ahead * 86_400_000).toISOString().slice(0, 10);
  const [start, end] = [3_600_000, 4_800_000].map((ahead) => new Date(Date.now() + ahead).toISOString());
  const guide = {
    lessons: [{ lesson: LESSON, release: start, grades: [], title: '下一节', subject: '数学' }],
    channels: [{ channel: 'g3', title: '小学三年级', programmes: [{ lesson: LESSON, start, end }] }],
  };
  // One day more than is kept, for midnight may pass.
  await page.route('**/timetable/days.json', (route) => route.fulfill({ json: { days: [0, 1, 2].map(day) } }));
  await page.route('**/timetable/2*.json', (route) => route.fulfill({ json: guide }));
  await playLesson(page);
  await page.click('[data-control=keep]');
  await page.waitForFunction(() => /已经存在这台设备上/.test(document.querySelector('.keep-said').textContent));
  // The timetable is kept along, of today and tomorrow.
  await page.waitForFunction(() => Object.keys(JSON.parse(localStorage.getItem('airclass.guides') ?? '{}')).length === 2);
  await page.unroute('**/timetable/days.json');
  await page.unroute('**/timetable/2*.json');
  await page.evaluate(() => navigator.serviceWorker.ready);

  const title = await page.innerText('h1');
  // Its name is kept with it, not only where it was watched.
  await page.addInitScript(() => localStorage.removeItem('airclass.positions'));
  await page.context().setOffline(true);
  await page.reload();
  await page.waitForSelector('.from-device');
  await page.waitForFunction(() => window.airclass.duration > 0);
  assert.equal(await page.innerText('h1'), title);
  await press(page);
  await page.keyboard.press('5');
  await page.waitForFunction(() => window.airclass.playing && window.airclass.position > window.airclass.duration / 2);
  await playOn(page, 1);

  await page.click('.bottom a');
  await page.waitForSelector(`[data-kept="${LESSON}"]`);
  await page.click('.today summary');
  await page.waitForFunction(() => /没有网络，这是[^]*下一节[^]*小学三年级 \d\d:\d\d/.test(document.querySelector('.today').innerText));
  await page.click(`[data-kept="${LESSON}"] button`);
  await page.waitForSelector(`[data-kept="${LESSON}"]`, { state: 'detached' });
  await page.context().setOffline(false);
});

/** Opens the lesson, keeps it, and waits until all of it is here. */
async function keep(page) {
  await playLesson(page);
  await page.click('[data-control=keep]');
  await page.waitForFunction(() => /已经存在这台设备上/.test(document.querySelector('.keep-said').textContent));
}

/** As if what is kept were an edition from before. */
const asAnOldEdition = (page) =>
  page.evaluate(
    (id) =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open('airclass', 1);
        opening.onsuccess = () => {
          const changing = opening.result.transaction('lessons', 'readwrite');
          const lessons = changing.objectStore('lessons');
          lessons.get(id).onsuccess = ({ target }) => lessons.put({ ...target.result, folder: `/p/${'0'.repeat(40)}/` });
          changing.oncomplete = () => resolve(opening.result.close());
          changing.onerror = reject;
        };
      }),
    LESSON,
  );

test('who kept a lesson that was replaced since is told, and may have the new one', async (t) => {
  const page = await openPage(t, browser);
  await keep(page);
  await asAnOldEdition(page);
  await page.reload();
  await page.waitForSelector('.from-device');
  await page.click('[data-control=renew]');
  // It plays from the line, and what was begun goes on.
  await page.waitForFunction(() => /已经存在这台设备上/.test(document.querySelector('.keep-said')?.textContent ?? ''));
  assert.equal(await page.locator('.from-device').count(), 0);
  await page.reload();
  await page.waitForSelector('.from-device');
  const described = page.waitForResponse('**/lesson.json');
  await page.reload();
  await described;
  await page.waitForSelector('.about .trail');
  assert.equal(await page.locator('[data-control=renew]').count(), 0);
});

/** In China; on the device it is night. */
const NOON = new Date('2026-09-01T12:00:00+08:00');

/**
 * A page by whose clock a test moves, at noon, with a lesson of which the first piece comes and then, while `line.cut`, nothing.
 * `line.asked` are the pieces that were asked for.
 */
async function openCut(t) {
  const page = await openPage(t, browser, { expected: CUT, timezoneId: 'America/New_York' });
  await page.route('**/timetable/days.json', (route) => route.fulfill({ headers: { date: NOON.toUTCString() }, json: { days: [] } }));
  await page.clock.install();
  await page.addInitScript(() => {
    Math.random = () => 0;
    window.underWay = 0;
    const follow = (promise) => {
      window.underWay += 1;
      return promise.finally(() => (window.underWay -= 1));
    };
    const [{ fetch }, { arrayBuffer }, { transaction }] = [window, Response.prototype, IDBDatabase.prototype];
    window.fetch = (...asked) => follow(fetch(...asked));
    Response.prototype.arrayBuffer = function () {
      return follow(arrayBuffer.call(this));
    };
    IDBDatabase.prototype.transaction = function (...asked) {
      const begun = transaction.apply(this, asked);
      void follow(new Promise((ends) => ['complete', 'abort'].forEach((event) => begun.addEventListener(event, ends))));
      return begun;
    };
  });
  await playLesson(page);
  const line = { cut: true, asked: [] };
  await page.route('**/bundle/lesson.tar', (route) => {
    line.asked.push(route.request().headers().range);
    return line.cut && line.asked.length > 1 ? route.abort() : route.continue();
  });
  return { page, line };
}

/**
 * Lets time pass, a minute at once, until the line under the lesson says so. None passes while something is fetched or written: for a busy
 * machine it would be over before a piece is here.
 */
async function passUntil(page, text) {
  for (let minutes = 0; minutes < 30; minutes += 1) {
    await page.waitForFunction(() => window.underWay === 0);
    if (text.test(await page.innerText('.keep-said'))) return;
    await page.clock.runFor(60_000);
  }
  assert.match(await page.innerText('.keep-said'), text);
}

const beginnings = ({ asked }) => asked.filter((range) => range.startsWith('bytes=0-')).length;

test('what breaks off goes on by a press, and when the line is back, from what has come', async (t) => {
  const { page, line } = await openCut(t);
  await page.click('[data-control=keep]');
  await passUntil(page, /没有存完/);
  await page.click('[data-control=keep]');
  await page.waitForFunction(() => /正在存/.test(document.querySelector('.keep-said').textContent));
  await passUntil(page, /没有存完/);
  line.cut = false;
  await page.evaluate(() => window.dispatchEvent(new Event('online')));
  await passUntil(page, /已经存在这台设备上/);
  assert.equal(beginnings(line), 1, 'what has come is not fetched again');
});

test('what breaks off at night goes on in the same night', async (t) => {
  const { page, line } = await openCut(t);
  await page.click('[data-control=keep-tonight]');
  await page.waitForFunction(() => /夜里 00:30 开始/.test(document.querySelector('.keep-said').textContent));
  await page.clock.fastForward(12.6 * 3_600_000);
  await passUntil(page, /已存 .*夜里 \d+:\d\d 接着下载/);
  line.cut = false;
  await passUntil(page, /已经存在这台设备上/);
  assert.equal(beginnings(line), 1, 'what has come is not fetched again');
});

test('the keyboard stays on its button while pieces come, and when they are here', async (t) => {
  const page = await openPage(t, browser);
  let asked = 0;
  let goOn;
  const held = new Promise((resolve) => (goOn = resolve));
  await page.route('**/bundle/lesson.tar', async (route) => {
    asked += 1;
    if (asked === 2) await held;
    await route.continue();
  });
  await playLesson(page);
  const said = page.locator('.keep-said');
  const focused = () => page.evaluate(() => document.activeElement.dataset.control ?? document.activeElement.tagName);
  await page.focus('[data-control=keep]');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => /正在存到这台设备：[1-9]/.test(document.querySelector('.keep-said').textContent));
  assert.deepEqual([await focused(), await said.getAttribute('aria-live')], ['keep-drop', 'off'], 'each piece is not read out');
  goOn();
  await page.waitForFunction(() => /已经存在这台设备上/.test(document.querySelector('.keep-said').textContent));
  assert.deepEqual([await focused(), await said.getAttribute('aria-live')], ['keep-drop', 'polite']);
  await page.goto('/#/kept');
  await page.focus('[data-kept] button');
  assert.match(await page.locator('[data-kept] button').getAttribute('aria-label'), /^删除: ./);
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-kept]', { state: 'detached' });
  await page.waitForFunction(() => document.activeElement.tagName === 'H1');
});

test('a kept lesson is shown as it is: there is nothing to save', async (t) => {
  const page = await openPage(t, browser);
  await keep(page);
  await page.reload();
  await page.waitForSelector('.from-device');
  assert.deepEqual(await page.evaluate(() => ['mode', 'quality'].map((name) => document.querySelector(`[data-menu=${name}]`).checkVisibility())), [false, true]);
});

test('of a lesson that was kept no more than a piece is in memory at once', async (t) => {
  const page = await openPage(t, browser);
  await page.addInitScript(() => {
    window.answers = [];
    const size = (row) => row?.bytes?.byteLength ?? 0;
    for (const name of ['get', 'getAll']) {
      const ask = IDBObjectStore.prototype[name];
      IDBObjectStore.prototype[name] = function (...asked) {
        const request = ask.apply(this, asked);
        request.addEventListener('success', () => window.answers.push([request.result].flat().reduce((sum, row) => sum + size(row), 0)));
        return request;
      };
    }
  });
  await keep(page);
  await page.reload();
  await page.waitForSelector('.from-device');
  await page.waitForFunction(() => window.airclass.duration > 0);
  await press(page);
  await playOn(page, 1);
  const answers = await page.evaluate(() => window.answers);
  assert.ok(answers.filter((bytes) => bytes > 0).length > 1, `more than one piece: ${answers}`);
  assert.ok(Math.max(...answers) <= PIECE_BYTES, `${answers}`);
});

test('a database that was lost while the page was away is opened again', async (t) => {
  const page = await openPage(t, browser);
  await page.addInitScript(() => {
    const { transaction } = IDBDatabase.prototype;
    // What WebKit's does after it was put away: every connection of before is dead.
    IDBDatabase.prototype.transaction = function (...asked) {
      this.since ??= window.lost ?? 0;
      if (this.since !== (window.lost ?? 0)) throw new DOMException('Connection to Indexed Database server lost.', 'UnknownError');
      return transaction.apply(this, asked);
    };
  });
  await keep(page);
  await page.reload();
  await page.waitForSelector('.from-device');
  await page.waitForFunction(() => window.airclass.duration > 0);
  await page.evaluate(() => (window.lost = 1));
  await press(page);
  await page.keyboard.press('8');
  await page.waitForFunction(() => window.airclass.playing && window.airclass.position > window.airclass.duration * 0.8);
  await playOn(page, 1);
  assert.deepEqual((await state(page)).errors, []);
});

test('a lesson that is left while the database opens leaves no connection open', async (t) => {
  const page = await openPage(t, browser);
  await page.addInitScript(() => {
    window.connections = 0;
    const [{ open }, { close }] = [IDBFactory.prototype, IDBDatabase.prototype];
    const hands = new Promise((resolve) => (window.handOver = resolve));
    let opened = 0;
    // The first looks whether the lesson is here; what comes after it is handed over late.
    IDBFactory.prototype.open = function (...asked) {
      const real = open.apply(this, asked);
      const seen = {};
      const late = opened++ > 0;
      real.onupgradeneeded = () => ((seen.result = real.result), seen.onupgradeneeded());
      real.onsuccess = async () => {
        window.connections += 1;
        if (late) await hands;
        seen.result = real.result;
        seen.onsuccess();
      };
      return seen;
    };
    IDBDatabase.prototype.close = function () {
      window.connections -= 1;
      return close.call(this);
    };
  });
  await playLesson(page);
  await page.waitForFunction(() => window.connections === 1);
  await page.click('.back');
  await page.waitForSelector('.list');
  await page.evaluate(() => window.handOver());
  await page.waitForFunction(() => window.connections === 0);
});

test('a database that never opens keeps no lesson from playing', async (t) => {
  const page = await openPage(t, browser);
  await page.addInitScript(() => {
    IDBFactory.prototype.open = () => new EventTarget();
  });
  await playLesson(page);
  // What can be done without it is offered.
  await page.waitForSelector('.keep a[download]');
});

test('a lesson in a file plays, and a file that is none is said so', async (t) => {
  const page = await openPage(t, browser);
  const folder = mkdtempSync(join(tmpdir(), 'airclass-'));
  t.after(() => rmSync(folder, { recursive: true }));
  await playLesson(page);
  const address = await page.getAttribute('.keep a[download]', 'href');
  const bundle = Buffer.from(await (await fetch(new URL(address, EDGE))).arrayBuffer());
  writeFileSync(join(folder, 'lesson.tar'), bundle);
  writeFileSync(join(folder, 'broken.tar'), bundle.subarray(0, bundle.length / 2));

  await page.goto(`${EDGE}#/kept`);
  await page.setInputFiles('.kept-file', join(folder, 'broken.tar'));
  await page.waitForFunction(() => /不是课程文件/.test(document.body.innerText));
  const asked = [];
  page.on('request', (request) => /\/(p|lessons)\//.test(request.url()) && asked.push(request.url()));
  await page.setInputFiles('.kept-file', join(folder, 'lesson.tar'));
  await page.waitForFunction(() => window.airclass.playing && window.airclass.position > 1);
  assert.deepEqual(asked, []);
});

test('with cookies and storage of every kind forbidden a lesson plays', async (t) => {
  const page = await openPage(t, browser);
  await page.addInitScript(() => {
    const forbid = (name) =>
      Object.defineProperty(window, name, {
        get() {
          throw new DOMException('forbidden', 'SecurityError');
        },
      });
    for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches', 'cookieStore']) forbid(name);
    Object.defineProperty(Navigator.prototype, 'serviceWorker', { get: () => undefined });
    Object.defineProperty(Document.prototype, 'cookie', {
      get() {
        throw new DOMException('forbidden', 'SecurityError');
      },
    });
  });
  await playLesson(page);
  await playOn(page, 1);
});

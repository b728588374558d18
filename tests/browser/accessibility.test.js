// What people who cannot see, or have no mouse or no JavaScript, meet: axe finds nothing serious, and the list is there.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { before } from 'node:test';
import { EDGE, LATE, LESSON, openBrowser, openList, openPage, playLesson, playOn, test } from './support.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let browser;
before(async (t) => {
  browser = await openBrowser(t);
});

/** Nothing that axe calls serious or worse. */
async function assertAccessible(page, name) {
  // The page's own policy lets no script in but ours; the debugger's words are not a script of the page.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  assert.deepEqual(serious.map(({ id, nodes }) => `${name}: ${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' ')}`), []);
}

test('axe finds nothing serious on the home page, in a lesson, and while waiting', async (t) => {
  const page = await openPage(t, browser, { expected: /Failed to load resource/ });
  const lesson = await openList(page);
  await lesson.waitFor();
  await page.click('.eyes summary');
  await page.waitForSelector('.eyes select');
  await page.click('.class summary');
  await page.waitForSelector('#class-code');
  await assertAccessible(page, 'home');
  await page.click('.bottom [data-control=report]');
  await assertAccessible(page, 'report');
  await page.keyboard.press('Escape');
  await page.waitForSelector('.report', { state: 'detached' });
  await lesson.click();
  await page.waitForSelector('.notice, video');
  await assertAccessible(page, 'lesson');
  await page.route('**/main.m3u8', (route) => route.fulfill({ status: 503, json: {}, headers: { 'retry-after': '60' } }));
  await page.reload();
  await page.waitForSelector('.notice:not([hidden])');
  await assertAccessible(page, 'waiting');
});

test('what only the eye needs is not read out: a lesson is called by its title', async (t) => {
  const page = await openPage(t, browser);
  const lesson = await openList(page);
  await lesson.waitFor();
  const title = await lesson.locator('.card-title').innerText();
  const heard = await lesson.ariaSnapshot();
  assert.ok(heard.startsWith(`- link "${title}`), heard);
});

/** How many colours are on the screen where an element is. */
async function coloursOf(page, selector) {
  const picture = await page.locator(selector).screenshot();
  return page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const canvas = Object.assign(document.createElement('canvas'), { width: bitmap.width, height: bitmap.height });
    const context = canvas.getContext('2d');
    context.drawImage(bitmap, 0, 0);
    return new Set(new Uint32Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size;
  }, picture.toString('base64'));
}

test('where the device has chosen all colours itself one sees what is played, how loud, what is chosen and how far one has come', async (t) => {
  const page = await openPage(t, browser, { forcedColors: 'active' });
  await page.addInitScript((id) => localStorage.setItem('airclass.positions', JSON.stringify([{ id, title: '课', at: 30, of: 64, done: false }])), LESSON);
  await (await openList(page)).waitFor();
  assert.ok((await coloursOf(page, '.begun .progress')) > 1, 'how far one has come');
  // One grade of one subject has nothing to choose from: a chip as the page makes them.
  const chips = await page.evaluate(() =>
    ['true', 'false'].map((pressed) => {
      const chip = Object.assign(document.createElement('button'), { className: 'chip', ariaPressed: pressed });
      document.querySelector('.chips').append(chip);
      return getComputedStyle(chip).backgroundColor;
    }),
  );
  assert.notEqual(chips[0], chips[1], 'what is chosen');
  await playLesson(page);
  await page.keyboard.press('k');
  for (const slider of ['.seek', '.volume']) assert.ok((await coloursOf(page, slider)) > 1, slider);
});

/** A textbook and a platform. */
async function withBooks(page) {
  const files = [{ path: `r/${'0a'.repeat(32)}.pdf`, name: '数学.pdf', bytes: 5_000_000, sha256: '0a'.repeat(32) }];
  const book = { resource: 'maths', title: '数学', kind: 'textbook', stage: 'primary', grade: 3, provider: '人教社', licence: '供教学使用', files };
  await page.route('**/resources/index.json', (route) => route.fulfill({ json: { version: 1, resources: [book] } }));
  const platform = { id: 'nation', zh: '国家平台', en: 'Nation', url: 'https://nation.example/', group: 'nation' };
  await page.route('**/resources/platforms.json', (route) => route.fulfill({ json: { platform: [platform] } }));
}

test('axe finds nothing serious where textbooks are', async (t) => {
  const page = await openPage(t, browser);
  await withBooks(page);
  await page.goto('/#/resources');
  await page.waitForSelector('[data-resource=maths]');
  await assertAccessible(page, 'resources');
});

test('without JavaScript the page leads to a list, and the list to lessons that the browser plays', async (t) => {
  const page = await openPage(t, browser, { javaScriptEnabled: false });
  await page.goto(EDGE);
  await page.click('noscript a');
  await page.waitForURL(/\/list\/$/);
  await page.locator('main a').first().click();
  await page.locator(`a[href$="~${LESSON}"]`).click();
  assert.equal(await page.locator('video').getAttribute('src'), `/lessons/${LESSON}/main.m3u8`);
});

test('axe finds nothing serious on the list without JavaScript', async (t) => {
  const page = await openPage(t, browser, { bypassCSP: true });
  await page.goto(`${EDGE}list/`);
  await assertAccessible(page, 'list');
  await page.locator('main a').first().click();
  await assertAccessible(page, 'lessons');
});

test('a province’s limits are shown with their document, and stay on the device', async (t) => {
  const page = await openPage(t, browser);
  await (await openList(page)).waitFor();
  await page.click('.eyes summary');
  await page.selectOption('[data-choice=place]', 'sichuan');
  await page.selectOption('[data-choice=grade]', '8');
  assert.match(await page.locator('.eyes').innerText(), /每天不超过 5 节课[\s\S]*四川省教育厅/);
  await page.reload();
  await page.click('.eyes summary');
  assert.equal(await page.inputValue('[data-choice=place]'), 'sichuan');
});

/** A bell on a school day. */
const BELL = Date.parse('2026-09-01T00:30:00Z');

/** So much was watched in one go just now, by the clock of the node. */
async function viewedAlready(page, seconds) {
  await page.route('**/timetable/days.json', (route) => route.fulfill({ headers: { date: new Date(BELL).toUTCString() }, json: { days: [] } }));
  await page.addInitScript((viewed) => {
    if (!localStorage.getItem('airclass.viewed')) localStorage.setItem('airclass.viewed', JSON.stringify(viewed));
  }, { day: '2026-09-01', seconds, sittingSeconds: seconds, last: BELL, lessons: [], passed: [] });
}

test('what was watched today is of the day that the node tells, whatever the clock and the zone of the device say', async (t) => {
  const page = await openPage(t, browser, { timezoneId: 'America/New_York' });
  await page.addInitScript(() => {
    const wall = Date.now.bind(Date);
    Date.now = () => wall() - 40 * 86_400_000;
  });
  await viewedAlready(page, 1_193);
  const told = page.waitForResponse('**/timetable/days.json');
  await (await openList(page)).waitFor();
  await told;
  await page.click('.eyes summary');
  await page.waitForFunction(() => /今天已看 19 分钟/.test(document.querySelector('.eyes').innerText));
});

test('after a sitting the page says to look away, and one press goes on', async (t) => {
  const page = await openPage(t, browser);
  await viewedAlready(page, 1_193);
  await playLesson(page);
  const rest = page.locator('dialog[data-rest=sitting]');
  await rest.waitFor();
  assert.match(await rest.innerText(), /20 分钟[\s\S]*眼保健操[\s\S]*依据：/);
  assert.equal(await page.evaluate(() => document.querySelector('video').paused), true);
  await assertAccessible(page, 'rest');
  // The keys of the player are the player's: what it plays would play behind this.
  for (const key of ['k', ' ', '5']) await page.keyboard.press(key);
  assert.deepEqual(await page.evaluate(() => [document.querySelector('video').paused, window.airclass.position < 30]), [true, true]);
  await page.click('[data-control=look-on]');
  await rest.waitFor({ state: 'detached' });
  assert.notEqual(await page.evaluate(() => document.activeElement.tagName), 'BODY', 'the keyboard is where it was');
  await playOn(page, 0.5);
});

test('what was watched in one tab counts in the other', async (t) => {
  const page = await openPage(t, browser);
  await viewedAlready(page, 600);
  await (await openList(page)).waitFor();
  const other = await page.context().newPage();
  await other.goto(EDGE);
  await page.evaluate(() => {
    window.told = new Promise((resolve) => addEventListener('storage', () => resolve(true)));
  });
  // As the other tab keeps it.
  await other.evaluate(() => {
    const viewed = JSON.parse(localStorage.getItem('airclass.viewed'));
    localStorage.setItem('airclass.viewed', JSON.stringify({ ...viewed, seconds: 900 }));
  });
  await page.evaluate(() => window.told);
  await page.click('.eyes summary');
  await page.waitForFunction(() => /今天已看 15 分钟/.test(document.querySelector('.eyes').innerText));
  // It is not written over by who leaves.
  await page.reload();
  assert.equal(await other.evaluate(() => JSON.parse(localStorage.getItem('airclass.viewed')).seconds), 900);
});

test('the keyboard stays on its lesson when the timetable is read again', async (t) => {
  const page = await openPage(t, browser);
  let asked = 0;
  await page.route('**/timetable/days.json', (route) => route.fulfill({ headers: { date: new Date(BELL).toUTCString() }, json: { days: ['2026-09-01'] } }));
  await page.route('**/timetable/2*.json', (route) => {
    asked += 1;
    const lessons = ['a', 'b', 'c'].map((lesson) => ({ lesson, release: new Date(BELL).toISOString(), grades: [], title: `${lesson}${asked}`, subject: '' }));
    return route.fulfill({ json: { lessons } });
  });
  await page.clock.install();
  await (await openList(page)).waitFor();
  await page.click('.today summary');
  await page.focus('.today [href="#/lesson/b"]');
  // It is read again when it is five minutes old, and looked at as often.
  await page.clock.fastForward(11 * 60_000);
  await page.waitForFunction(() => /b[2-9]/.test(document.querySelector('.today').innerText));
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('href')), '#/lesson/b');
});

test('what stands over a lesson goes with it, and the keyboard is in what comes', async (t) => {
  const page = await openPage(t, browser);
  await viewedAlready(page, 1_193);
  const back = async (dialog) => {
    await page.waitForSelector(dialog);
    await page.goBack();
    await page.waitForSelector('.lessons .card');
    await page.waitForSelector(dialog, { state: 'detached' });
    assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H1');
  };
  await (await openList(page)).click();
  await back('dialog[data-rest]');
  await page.click('.bottom [href="#/kept"]');
  await page.click('.bottom [data-control=report]');
  await back('.report');
});

/** What a finger needs, in pixels each way (WCAG 2.2, 2.5.5). Within a sentence a word is as large as its letters. */
const FINGER = 44;

test('a finger hits everything that can be pressed', async (t) => {
  const page = await openPage(t, browser, { expected: /status of 40[34]/, viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  const today = new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10);
  const guide = { lessons: [{ lesson: LESSON, release: new Date().toISOString(), grades: [], title: '一', subject: '数学' }], channels: [] };
  await page.route('**/timetable/days.json', (route) => route.fulfill({ json: { days: [today] } }));
  await page.route('**/timetable/2*.json', (route) => route.fulfill({ json: guide }));
  await withBooks(page);
  const views = [['', '.lessons .card'], [`#/lesson/${LESSON}`, '.keep-actions'], ['#/kept', '.kept-file'], ['#/resources', '[data-resource=maths]']];
  // And the pages of a few words.
  const list = [['list/', 'main a'], ['list/primary-3', 'main a']];
  for (const [view, there] of [...views, ...list, [`lessons/${LATE}/main.m3u8`, 'a'], ['nothing/here', 'a']]) {
    await page.goto(EDGE + view);
    await page.waitForSelector(there);
    await page.evaluate(() => document.querySelectorAll('details').forEach((details) => (details.open = true)));
    const small = await page.evaluate((least) => {
      const all = [...document.querySelectorAll('a, button, select, summary, input:not([type=radio]):not([type=checkbox])')];
      const seen = all.filter((element) => element.checkVisibility() && !element.matches('.skip') && !element.closest('.eyes li, .eyes p'));
      return seen.map((element) => [element.outerHTML.slice(0, 80), element.getBoundingClientRect().height]).filter(([, height]) => height < least - 0.5);
    }, FINGER);
    assert.deepEqual(small, [], view);
  }
});

/** The narrowest screen of a phone, in pixels. */
const NARROWEST = 320;

test('with letters twice as large on the narrowest phone all that is said can be read', async (t) => {
  const page = await openPage(t, browser, { viewport: { width: NARROWEST, height: 640 }, hasTouch: true, isMobile: true });
  const title = '分数的初步认识：把一个月饼平均分成几份，每份是它的几分之一（第二课时）';
  await page.route('**/catalogue/primary-3-*.json', async (route) => {
    const response = await route.fetch();
    const shard = await response.json();
    await route.fulfill({ response, json: shard.map((lesson) => ({ ...lesson, title })) });
  });
  await page.addInitScript(() => {
    document.addEventListener('DOMContentLoaded', () => document.documentElement.style.setProperty('font-size', '200%'));
  });
  /** What is cut off, or out of the screen. */
  const unread = () =>
    page.evaluate((width) => {
      const all = [...document.querySelectorAll('body *')].filter((element) => element.checkVisibility() && !element.closest('.chip-set, svg') && element.innerText?.trim());
      const isUnread = (element) => element.getBoundingClientRect().right > width + 1 || (getComputedStyle(element).overflowY === 'hidden' && element.scrollHeight > element.clientHeight + 2);
      return all.filter(isUnread).map((element) => `${element.className}: ${element.innerText.slice(0, 40)}`);
    }, NARROWEST);
  const lesson = await openList(page);
  await lesson.waitFor();
  assert.deepEqual(await unread(), [], 'home');
  assert.equal(await page.locator('.brand').evaluate((brand) => brand.getClientRects().length && brand.offsetHeight < 2 * parseFloat(getComputedStyle(brand).lineHeight)), true, 'the name stands on one line');
  await lesson.click();
  await page.waitForFunction(() => window.airclass.levels.length > 0);
  for (const menu of ['speed', 'mode', 'quality']) {
    await page.click(`[data-menu=${menu}] .menu-button`);
    assert.deepEqual(await unread(), [], menu);
    await page.keyboard.press('Escape');
  }
});

// The list of lessons: two languages, search, and plain words when there is nothing to show.

import assert from 'node:assert/strict';
import { before } from 'node:test';
import { EDGE, LESSON, openBrowser, openList, openPage, test, until } from './support.js';

let browser;
before(async (t) => {
  browser = await openBrowser(t);
});

test('a Chinese browser gets the list in Chinese', async (t) => {
  const page = await openPage(t, browser, { locale: 'zh-CN' });
  const lesson = await openList(page);
  await lesson.waitFor();
  assert.equal(await page.title(), '空中课堂');
  assert.equal(await page.locator('html').getAttribute('lang'), 'zh-CN');
  assert.match(await page.locator('.count').innerText(), /^共 \d+ 节课$/);
  assert.match(await lesson.innerText(), /分钟/);
});

test('an English browser gets the list in English', async (t) => {
  const page = await openPage(t, browser, { locale: 'en-US' });
  const lesson = await openList(page);
  await lesson.waitFor();
  assert.equal(await page.title(), 'Airclass');
  assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  assert.match(await page.locator('.count').innerText(), /^\d+ lessons?$/);
});

test('the language can be changed by hand and stays', async (t) => {
  const page = await openPage(t, browser);
  await (await openList(page)).waitFor();
  await page.click('[data-control=language]');
  await page.waitForFunction(() => document.title === 'Airclass');
  await page.reload();
  await page.waitForFunction(() => document.title === 'Airclass');
});

test('search narrows the list and the address keeps it', async (t) => {
  const page = await openPage(t, browser);
  const lesson = await openList(page);
  const title = (await lesson.locator('.card-title').innerText()).trim();
  await page.fill('input[type=search]', title);
  await page.waitForURL(/#\/\?q=/);
  assert.equal(await lesson.count(), 1);
  await page.fill('input[type=search]', '没有这样的课 zzz');
  await page.waitForSelector('[data-advice=nothing]');
  await page.click('[data-advice=nothing] button');
  await lesson.waitFor();
  await page.goto(`${EDGE}#/?q=${encodeURIComponent(title)}`);
  await lesson.waitFor();
  assert.equal(await page.inputValue('input[type=search]'), title);
});

test('an unreachable catalogue is said plainly and read after a retry', async (t) => {
  const page = await openPage(t, browser, { expected: /Failed to load resource/ });
  await page.route('**/catalogue/**', (route) => route.abort());
  const lesson = await openList(page);
  await page.waitForSelector('[data-advice=unreachable]');
  assert.match(await page.locator('[data-advice=unreachable]').innerText(), /连接不上[\s\S]*检查网络[\s\S]*重试/);
  await page.unroute('**/catalogue/**');
  await page.click('[data-advice=unreachable] button');
  await lesson.waitFor();
});

test('a list that did not come is read again by itself, whole or in parts, and a button keeps the keyboard', async (t) => {
  const page = await openPage(t, browser, { expected: /Failed to load resource/ });
  const asked = { version: 0, part: 0 };
  await page.route('**/catalogue/version.json', (route) => ((asked.version += 1), asked.version < 3 ? route.fulfill({ status: 503, headers: { 'retry-after': '1' }, body: '' }) : route.continue()));
  await page.route(/\/catalogue\/(?!version)[^?]*\.json$/, (route) => ((asked.part += 1), asked.part < 2 ? route.abort() : route.continue()));
  const lesson = await openList(page);
  await page.focus('[data-advice=busy] button');
  await page.waitForFunction(() => document.activeElement.dataset.control === 'retry');
  await until(() => asked.version > 1, 'it is asked again');
  assert.equal(await page.evaluate(() => document.activeElement.dataset.control), 'retry');
  await lesson.waitFor();
  assert.ok(asked.version >= 3 && asked.part >= 2, JSON.stringify(asked));
});

test('a list that came in part is read again by itself, also where the next reading fails', async (t) => {
  const page = await openPage(t, browser, { expected: /Failed to load resource/ });
  const version = await (await fetch(new URL('/catalogue/version.json', EDGE))).json();
  const broken = { ...version.shards[0], path: version.shards[0].path.replace(/[^/]*$/, 'broken.json') };
  let asked = 0;
  await page.route('**/catalogue/version.json', (route) => {
    asked += 1;
    if (asked === 2) return route.abort();
    return asked === 1 ? route.fulfill({ json: { ...version, shards: [...version.shards, broken] } }) : route.continue();
  });
  await page.route('**/broken.json', (route) => route.abort());
  const lesson = await openList(page);
  await lesson.waitFor();
  await page.waitForSelector('.strip');
  await until(() => asked > 2, 'it is asked again');
  await page.waitForSelector('.strip', { state: 'detached' });
  await lesson.waitFor();
});

test('a busy server is told apart from a dead line', async (t) => {
  const page = await openPage(t, browser, { expected: /Failed to load resource/ });
  await page.route('**/catalogue/version.json', (route) => route.fulfill({ status: 503, body: '' }));
  await openList(page);
  await page.waitForSelector('[data-advice=busy]');
});

test('an empty catalogue is no error', async (t) => {
  const page = await openPage(t, browser);
  await page.route('**/catalogue/version.json', (route) => route.fulfill({ json: { version: 1, shards: [] } }));
  await openList(page);
  await page.waitForSelector('[data-advice=empty]');
});

test('a part that fails leaves the rest in place', async (t) => {
  const page = await openPage(t, browser, { expected: /Failed to load resource/ });
  const missing = 'catalogue/other-00000000.json';
  await page.route('**/catalogue/version.json', async (route) => {
    const response = await route.fetch();
    const version = await response.json();
    version.shards.push({ path: missing, stage: 'other', lessons: 1 });
    await route.fulfill({ json: version });
  });
  await page.route(`**/${missing}`, (route) => route.abort());
  await (await openList(page)).waitFor();
  await page.waitForSelector('.strip');
});

test('where nothing is left to go on with there is no heading over nothing, and what was watched can be cleared', async (t) => {
  const page = await openPage(t, browser);
  await page.addInitScript((id) => {
    if (localStorage.getItem('airclass.positions') === null) localStorage.setItem('airclass.positions', JSON.stringify([{ id, title: '学完的课', at: 60, of: 60, done: true }]));
  }, LESSON);
  await (await openList(page)).waitFor();
  assert.doesNotMatch(await page.innerText('.list'), /继续学习/);
  await page.click('[data-control=clear]');
  await page.waitForSelector('[data-control=clear]', { state: 'detached' });
});

test('the keyboard alone reaches a lesson', async (t) => {
  const page = await openPage(t, browser);
  const lesson = await openList(page);
  await lesson.waitFor();
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
  await lesson.focus();
  await page.keyboard.press('Enter');
  await page.waitForFunction((id) => window.airclass.lesson === id, LESSON);
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H1');
});

test('a page that was left open over night has the timetable of the new day', async (t) => {
  const page = await openPage(t, browser, { expected: /Failed to load resource/ });
  // Noon in China: no day ends meanwhile but by the test.
  const toNoon = 4 * 3_600_000 - (Date.now() % 86_400_000);
  await page.addInitScript((toNoon) => {
    const wall = Date.now.bind(Date);
    window.ahead = 0;
    Date.now = () => wall() + toNoon + window.ahead;
  }, toNoon);
  const day = (ahead) => new Date(Date.now() + toNoon + 8 * 3_600_000 + ahead * 86_400_000).toISOString().slice(0, 10);
  const guide = (title) => ({ lessons: [{ lesson: LESSON, release: new Date(Date.now() + toNoon).toISOString(), grades: [], title, subject: '数学' }], channels: [] });
  let fails = false;
  const asked = [];
  await page.route('**/timetable/days.json', (route) => (asked.push(fails), fails ? route.abort() : route.fulfill({ json: { days: [day(0), day(1)] } })));
  for (const [ahead, title] of [[0, '昨天的课'], [1, '今天的课']]) await page.route(`**/timetable/${day(ahead)}.json`, (route) => route.fulfill({ json: guide(title) }));
  await openList(page);
  await page.click('.today summary');
  await page.waitForFunction(() => /昨天的课/.test(document.querySelector('.today').innerText));
  const looksAgain = () => page.evaluate(() => void document.dispatchEvent(new Event('visibilitychange')));
  await looksAgain();
  await page.evaluate(() => (window.ahead = 86_400_000));
  fails = true;
  await looksAgain();
  await page.waitForSelector('.today', { state: 'hidden' });
  fails = false;
  await looksAgain();
  await page.waitForFunction(() => /今天的课/.test(document.querySelector('.today').innerText));
  // Of a day that is here nobody is asked.
  assert.deepEqual(asked, [false, true, false]);
});

test('a lesson that is moved or taken out in the morning is so on a page that was open before', async (t) => {
  const page = await openPage(t, browser, { expected: /Failed to load resource/ });
  await page.addInitScript(() => {
    const wall = Date.now.bind(Date);
    window.ahead = 0;
    Date.now = () => wall() + window.ahead;
  });
  // Tomorrow says the same, for midnight may pass.
  const days = [0, 1].map((ahead) => new Date(Date.now() + 8 * 3_600_000 + ahead * 86_400_000).toISOString().slice(0, 10));
  const at = (hour, title) => ({ lesson: LESSON, release: `${days[0]}T0${hour}:10:00Z`, grades: [], title, subject: '数学' });
  let lessons = [at(1, '第一节'), at(2, '取消的课')];
  let fails = false;
  await page.route('**/timetable/days.json', (route) => (fails ? route.abort() : route.fulfill({ json: { days } })));
  for (const day of days) await page.route(`**/timetable/${day}.json`, (route) => route.fulfill({ json: { lessons, channels: [] } }));
  await openList(page);
  await page.click('.today summary');
  await page.waitForFunction(() => /09:10[^]*取消的课/.test(document.querySelector('.today').innerText));
  lessons = [at(3, '第一节')];
  const comesBack = (minutes) => page.evaluate((ahead) => ((window.ahead = ahead), void document.dispatchEvent(new Event('visibilitychange'))), minutes * 60_000);
  // Without a network what was read stays.
  fails = true;
  const asked = page.waitForRequest('**/timetable/days.json');
  await comesBack(10);
  await asked;
  await page.waitForFunction(() => /取消的课/.test(document.querySelector('.today').innerText));
  fails = false;
  await comesBack(20);
  // While the attempt that fails is on its way there is no other: it comes back until there is.
  const isMoved = () => (document.dispatchEvent(new Event('visibilitychange')), /11:10[^]*第一节/.test(document.querySelector('.today').innerText));
  await page.waitForFunction(isMoved, null, { polling: 100 });
  assert.doesNotMatch(await page.locator('.today').innerText(), /取消的课/);
});

test('the timetable is that of the day which the node tells, whatever the clock of the device says', async (t) => {
  const page = await openPage(t, browser);
  await page.addInitScript(() => {
    const wall = Date.now.bind(Date);
    Date.now = () => wall() - 40 * 86_400_000;
  });
  const now = Date.parse('2026-09-01T00:00:00Z');
  const guide = { lessons: [{ lesson: LESSON, release: new Date(now).toISOString(), grades: [], title: '第一节', subject: '数学' }], channels: [] };
  // It was made yesterday, and lay in a cache since.
  const headers = { date: new Date(now - 86_400_000).toUTCString(), age: '86400' };
  await page.route('**/timetable/days.json', (route) => route.fulfill({ headers, json: { days: ['2026-08-31', '2026-09-01'] } }));
  await page.route('**/timetable/2026-09-01.json', (route) => route.fulfill({ json: guide }));
  await openList(page);
  await page.click('.today summary');
  await page.waitForFunction(() => /2026-09-01[^]*第一节/.test(document.querySelector('.today').innerText));
});

// A morning whose origin was killed before the bell, in Chromium. Run by `journeys/morning.rs`, which rings the bell; not by `node --test`.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { before } from 'node:test';
import { openBrowser, openPage as openWatchedPage, press, required, test } from './browser.js';

const EDGE = required('AIRCLASS_URL', 'an edge whose origin is dead, with a slash at the end');
const ASK = required('AIRCLASS_ASK', 'a file that is made when the bell may ring');
const AHEAD_MS = Number(required('AIRCLASS_AHEAD_MS', 'how far ahead of the wall clock the edge lives'));
const TITLE = required('AIRCLASS_TITLE', 'what the lesson of the bell is called');
const PINYIN = required('AIRCLASS_PINYIN', 'the beginning of that as it is typed');

let browser;
before(async (t) => {
  browser = await openBrowser(t);
});

/**
 * A page that lives in the edge's time, of which it knows by what it is told: its own clock is that of the machine. An edge whose plan lives
 * elsewhere dates its answers by the wall clock all the same. What is shut answers 403, which the console says.
 */
async function openPage(t, options = {}) {
  const page = await openWatchedPage(t, browser, { edge: EDGE, expected: /status of 403/, timezoneId: 'Asia/Shanghai', ...options });
  await page.route('**/timetable/days.json', async (route) => {
    const response = await route.fetch();
    const headers = response.headers();
    await route.fulfill({ response, headers: { ...headers, date: new Date(Date.parse(headers.date) + AHEAD_MS).toUTCString() } });
  });
  return page;
}

test('home page, catalogue, search and timetable are there', async (t) => {
  const page = await openPage(t);
  await page.goto('/');
  const lesson = page.locator('.lessons [data-lesson=sample]');
  await lesson.waitFor();
  await page.waitForSelector('.today:not([hidden])');
  await page.click('.today summary');
  assert.match(await page.locator('.today').innerText(), new RegExp(`08:30 数学 ${TITLE}`));
  // What it is searched in is a file of its own, fetched with the first letter.
  await page.fill('input[type=search]', PINYIN);
  await page.waitForURL(/#\/\?q=/);
  await lesson.waitFor();
  await page.fill('input[type=search]', 'zzzz');
  await page.waitForSelector('[data-advice=nothing]');
  await page.goto(`${EDGE}#/resources`);
  await page.waitForFunction(() => /课本和资料/.test(document.querySelector('h1')?.textContent ?? ''));
});

test('without JavaScript there is the list, and the lesson in it', async (t) => {
  const page = await openPage(t, { javaScriptEnabled: false });
  await page.goto('/list/');
  await page.click('a[href="/list/primary-3"]');
  await page.click('a[href="/list/primary-3/~sample"]');
  assert.equal(await page.locator('video').count(), 1);
});

test('the lesson opens at the bell and plays', async (t) => {
  const page = await openPage(t);
  await page.goto('/');
  await page.locator('.lessons [data-lesson=sample]').waitFor();
  writeFileSync(ASK, 'ring\n');
  // Before the new plan is followed the bell is at 08:30, for which nobody waits here; then it may have rung, or the page waits
  // and opens by itself.
  for (;;) {
    await page.goto(`${EDGE}#/lesson/sample`);
    const said = await page.waitForFunction(() => (window.airclass?.levels.length > 0 ? 'open' : document.querySelector('.notice[data-size=panel]')?.innerText));
    if (!/08:30 开放/.test(await said.jsonValue())) break;
    await page.goto('about:blank');
  }
  await page.waitForFunction(() => window.airclass.levels.length > 0);
  await press(page);
  await page.waitForFunction(() => window.airclass.playing && window.airclass.position > 2);
  await page.waitForFunction((title) => document.querySelector('h1').textContent.includes(title), TITLE);
});

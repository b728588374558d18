// 班级学情: a class code, typed by who wishes to be counted, and what is said because of it.

import assert from 'node:assert/strict';
import { before } from 'node:test';
import { EDGE, openBrowser, openPage, press, required, test } from './support.js';

/** A planned lesson of the ninth grade, of a minute and a few seconds. */
const COUNTED = required('AIRCLASS_COUNTED', 'the id of a lesson that classes are counted for');
/** As `airclass coverage code` makes them. */
const CLASS = required('AIRCLASS_CLASS', 'a class code');

let browser;
before(async (t) => {
  browser = await openBrowser(t);
});

/** What is said, beside questions. */
function listenTo(page) {
  const said = [];
  page.on('request', (request) => !['GET', 'HEAD'].includes(request.method()) && said.push(request));
  return said;
}

async function watch(page, lesson) {
  await page.goto(`${EDGE}#/lesson/${lesson}`);
  await page.waitForFunction(() => window.airclass.duration > 0);
  await page.evaluate(() => {
    const video = document.querySelector('video');
    // Not faster: a page that was not let run for three seconds would have missed a part.
    video.playbackRate = 4;
    // Behind whoever else hears of it.
    video.addEventListener('ended', () => setTimeout(() => (window.over = true)));
  });
  await press(page);
  await page.waitForFunction(() => window.airclass.position > 61);
}

/** As a phone does with a page behind another. */
function putAway(page) {
  return page.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
}

test('who types a class code is counted in minutes, and nothing else is said', async (t) => {
  const page = await openPage(t, browser);
  const said = listenTo(page);
  await page.goto('/');
  await page.click('.class summary');
  // What is behind it comes when it is opened.
  await page.waitForSelector('#class-code');
  assert.match(await page.innerText('.class'), /不会记下：姓名、账号/);
  await page.fill('#class-code', CLASS.slice(0, -1) + (CLASS.endsWith('2') ? '3' : '2'));
  await page.click('[data-control=join-class]');
  assert.match(await page.innerText('#class-said'), /不是班级码/);
  await page.fill('#class-code', CLASS.toLowerCase().replace('-', ' '));
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-control=leave-class]');

  await watch(page, COUNTED);
  assert.match(await page.innerText('.counting'), new RegExp(CLASS));
  // What it has seen by now it may note a moment later, and would say behind what it says now: to its end, and there is nothing more.
  await page.waitForFunction(() => window.over);
  const answer = page.waitForResponse((response) => response.url() === `${EDGE}coverage`);
  await putAway(page);
  assert.equal((await answer).status(), 204);
  assert.equal(said.length, 1);
  assert.deepEqual(said[0].postDataJSON(), { class: CLASS, lesson: COUNTED, began: true, seen: [0, 1], again: [] });
  const fields = Object.keys(await said[0].allHeaders());
  for (const name of ['cookie', 'referer', 'authorization']) assert.ok(!fields.includes(name), name);
  // Nothing new, nothing said.
  await putAway(page);
  assert.equal(said.length, 1);

  await page.goto(EDGE);
  await page.click('.class summary');
  await page.click('[data-control=leave-class]');
  await page.waitForSelector('#class-code');
  assert.equal(await page.evaluate(() => localStorage.getItem('airclass.class')), null);
});

test('without a code nothing is said, and the lower grades are offered none', async (t) => {
  const page = await openPage(t, browser);
  const said = listenTo(page);
  await page.addInitScript(() => localStorage.setItem('airclass.eyes', JSON.stringify({ place: 'nation', grade: 2 })));
  await page.addInitScript((code) => localStorage.setItem('airclass.class', JSON.stringify({ code, lessons: {} })), CLASS);
  await page.goto('/');
  await page.waitForSelector('.class', { state: 'hidden' });
  await watch(page, COUNTED);
  assert.ok(await page.locator('.counting').isHidden());
  await putAway(page);
  assert.equal(said.length, 0);
});

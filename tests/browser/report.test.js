// 报告问题: a choice from a list goes to those who look after the node, at once or when they can be reached.

import assert from 'node:assert/strict';
import { before } from 'node:test';
import { EDGE, LESSON, openBrowser, openPage, playLesson, test } from './support.js';

const CUT = /Failed to load resource/;

let browser;
before(async (t) => {
  browser = await openBrowser(t);
});

/** Opens the list from the foot of the page and chooses. */
async function report(page, kind) {
  await page.click('.bottom [data-control=report]');
  assert.equal(await page.locator('.report textarea, .report input:not([type=radio])').count(), 0, 'there is nothing to write in');
  await page.check(`.report input[value=${kind}]`);
  await page.click('[data-control=send-report]');
}

test('a report says which answer of which node it is about, and nothing of who reports', async (t) => {
  const page = await openPage(t, browser);
  await playLesson(page);
  const sent = page.waitForRequest((request) => request.url() === `${EDGE}feedback`);
  await report(page, 'stalls');
  const request = await sent;
  const said = request.postDataJSON();
  assert.match(said.trace, /^[0-9a-f]{16}$/);
  assert.match(said.build, /^[A-Z0-9]{8}$/);
  assert.deepEqual([said.kind, said.fault, said.node, said.lesson, said.engine], ['stalls', 'none', 'airclass', LESSON, 'hls.js']);
  assert.deepEqual(Object.keys(said).filter((key) => !['kind', 'fault', 'node', 'trace', 'status', 'rung', 'lesson', 'build', 'engine'].includes(key)), []);
  const fields = Object.keys(await request.allHeaders());
  for (const name of ['cookie', 'referer', 'authorization']) assert.ok(!fields.includes(name), name);
  await page.waitForFunction(() => /编号 [0-9A-Z]{3}-[0-9A-Z]{4}/.test(document.querySelector('.report').textContent));
  assert.match(await page.innerText('.report .support'), /027-1234 5678/);
});

test('while nobody can be told a report waits on the device, and is sent later', async (t) => {
  const page = await openPage(t, browser, { expected: CUT });
  await page.goto('/');
  await page.waitForSelector('.lessons [data-lesson]');
  await page.route('**/feedback', (route) => route.abort());
  await report(page, 'start');
  await page.waitForFunction(() => /已存在这台设备上/.test(document.querySelector('.report').textContent));
  assert.equal(await page.evaluate(() => JSON.parse(localStorage.getItem('airclass.reports')).length), 1);
  await page.unroute('**/feedback');
  const answer = page.waitForResponse((response) => response.url() === `${EDGE}feedback`);
  await page.evaluate(() => window.dispatchEvent(new Event('online')));
  assert.equal((await answer).status(), 202);
  await page.waitForFunction(() => localStorage.getItem('airclass.reports') === null);
});

test('the keyboard stays in the panel when a report is sent, and comes back from it', async (t) => {
  const page = await openPage(t, browser, { expected: CUT });
  await page.goto(`${EDGE}#/lesson/there-is-none`);
  await page.waitForSelector('.notice [data-control=report]');
  await page.focus('.notice [data-control=report]');
  await page.keyboard.press('Enter');
  await page.check('.report input[value=start]');
  await page.focus('[data-control=send-report]');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => /编号/.test(document.querySelector('.report').textContent));
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('role')), 'status');
  // The notice that opened it has gone meanwhile.
  await page.evaluate(() => document.querySelector('.notice').replaceChildren());
  await page.keyboard.press('Escape');
  await page.waitForSelector('.report', { state: 'detached' });
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H1');
});

test('where a lesson cannot be had, reporting and whom to ask are beside the reason', async (t) => {
  const page = await openPage(t, browser, { expected: CUT });
  await page.goto('/');
  await page.waitForFunction(() => localStorage.getItem('airclass.support') !== null);
  await page.goto(`${EDGE}#/lesson/there-is-none`);
  await page.waitForSelector('.notice [data-control=report]');
  assert.match(await page.innerText('.notice .support'), /027-1234 5678/);
  const sent = page.waitForRequest((request) => request.url() === `${EDGE}feedback`);
  await page.click('.notice [data-control=report]');
  await page.check('.report input[value=start]');
  await page.click('[data-control=send-report]');
  const said = (await sent).postDataJSON();
  assert.deepEqual([said.fault, said.status, said.lesson], ['missing', 404, 'there-is-none']);
});

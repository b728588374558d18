// What the journeys share: a browser, a page that is watched for what must never happen, and waits for events.

import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

/** Where the edge listens, with a slash at the end. */
export const EDGE = new URL('/', required('AIRCLASS_URL', 'the address of a running edge, such as http://127.0.0.1:8080/')).href;

/** A lesson that the edge serves and the catalogue lists; its picture moves and it has sound. */
export const LESSON = required('AIRCLASS_LESSON', 'the id of a lesson that it serves');

/** A channel of the day plan that the edge follows. */
export const CHANNEL = required('AIRCLASS_CHANNEL', 'the id of a channel that it shows');

/** A lesson of that plan that is not open yet. */
export const LATE = required('AIRCLASS_LATE', 'the id of a planned lesson that opens later');

/** The longest wait for any one event, in milliseconds: decoding on two busy cores, not a sleep. */
const PATIENCE_MS = 45_000;

export function required(name, meaning) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: it is ${meaning}`);
  return value;
}

/** A Chromium with a new, empty profile, closed when the test file ends. `transport` are its arguments about the way to the edge. */
export async function openBrowser(t, transport = ['--disable-quic']) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: [
      '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--mute-audio', ...transport,
    ],
  });
  t.after(() => browser.close());
  return browser;
}

/**
 * A page of a pupil who was never here before, and at the end of the test the proof that nobody was tracked: no cookie, no
 * request to anybody else, nothing on the console.
 *
 * `expected` are the console's errors that the test provokes, `edge` is where the page comes from; `line` stands between
 * page and edge (`line.js`) and is closed behind the page.
 */
export async function openPage(t, browser, { expected, line, edge = line?.url ?? EDGE, ...options } = {}) {
  const context = await browser.newContext({ locale: 'zh-CN', viewport: { width: 1280, height: 800 }, baseURL: edge, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (message) => {
    if (!['error', 'warning'].includes(message.type())) return;
    if (!expected?.test(message.text())) complaints.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`exception: ${error.message}`));
  context.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(edge) && !/^(blob|data):/.test(url)) complaints.push(`request to a stranger: ${url}`);
  });
  context.on('response', (response) => {
    if (response.headers()['set-cookie']) complaints.push(`a cookie from ${response.url()}`);
  });
  t.after(async () => {
    const cookies = await context.cookies();
    await context.close();
    await line?.close();
    assert.deepEqual(cookies, []);
    assert.deepEqual(complaints, []);
  });
  return page;
}

/** Opens the list and waits for the lesson in it. */
export async function openList(page) {
  await page.goto('/');
  return page.locator(`.lessons [data-lesson="${LESSON}"]`);
}

/** Opens the lesson from the list, as a pupil does, and waits until it plays. */
export async function playLesson(page) {
  await (await openList(page)).click();
  await page.waitForFunction(() => window.airclass.playing && window.airclass.position > 0.5);
}

/** The page's own state. */
export function state(page) {
  return page.evaluate(() => ({ ...window.airclass }));
}

/** Waits until the lesson has played `seconds` further than now. */
export async function playOn(page, seconds) {
  const from = await page.evaluate(() => window.airclass.position);
  await page.waitForFunction((to) => window.airclass.playing && window.airclass.position >= to, from + seconds);
}

/** No download or decoder ever had to be started again. */
export async function assertNothingFatal(page) {
  const { errors } = await state(page);
  assert.deepEqual(errors.filter((error) => error.fatal), []);
}

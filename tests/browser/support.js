// What a pupil's journeys share: where the edge is, and waits for events.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { ARGUMENTS, EXECUTABLE, PATIENCE_MS, openBrowser, openPage as openWatchedPage, press, required, test } from './browser.js';

export { ARGUMENTS, EXECUTABLE, openBrowser, press, required, test };

/** Where the edge listens, with a slash at the end. */
export const EDGE = new URL('/', required('AIRCLASS_URL', 'the address of a running edge, such as http://127.0.0.1:8080/')).href;

/** A lesson that the edge serves and the catalogue lists; its picture moves and it has sound. */
export const LESSON = required('AIRCLASS_LESSON', 'the id of a lesson that it serves');

/** A channel of the day plan that the edge follows. */
export const CHANNEL = required('AIRCLASS_CHANNEL', 'the id of a channel that it shows');

/** A lesson of that plan that is not open yet. */
export const LATE = required('AIRCLASS_LATE', 'the id of a planned lesson that opens later');

/** A page of a pupil, who comes to the edge. */
export function openPage(t, browser, options = {}) {
  return openWatchedPage(t, browser, { edge: options.line?.url ?? EDGE, ...options });
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

/** Has the page keep its lesson, and plays that without a line. */
export async function playKept(page) {
  await page.click('[data-control=keep]');
  await page.waitForFunction(() => /已经存在这台设备上/.test(document.querySelector('.keep-said').textContent));
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.context().setOffline(true);
  await page.reload();
  await page.waitForSelector('.from-device');
  await page.waitForFunction(() => window.airclass.duration > 0);
  await press(page);
}

/** Waits until the notice over the picture has said this, whatever it says next. */
export function saidInNotice(page, text) {
  return page.waitForFunction(({ source, flags }) => new RegExp(source, flags).test(document.querySelector('.notice')?.innerText ?? ''), { source: text.source, flags: text.flags });
}

/** Waits until something holds on this side of the browser. */
export async function until(holds, what) {
  for (let waited = 0; !holds(); waited += LOOK_MS) {
    assert.ok(waited < PATIENCE_MS, what);
    await sleep(LOOK_MS);
  }
}

/** Between two looks, in milliseconds. */
const LOOK_MS = 20;

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

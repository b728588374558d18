// A WebView of 2016: the script for those who know no modules, without what Chrome 49 does not have.

import assert from 'node:assert/strict';
import { before } from 'node:test';
import { EDGE, LESSON, assertNothingFatal, openBrowser, openPage, playOn, press, test } from './support.js';

let browser;
before(async (t) => {
  browser = await openBrowser(t);
});

test('a browser that knows no modules plays', async (t) => {
  const page = await openPage(t, browser);
  // What such a browser does with the page: passes over modules, and does not know the word nomodule.
  await page.route(EDGE, async (route) => {
    const answer = await route.fetch();
    const html = (await answer.text()).replace(/<script type="module"[^>]*><\/script>/, '').replace('nomodule', '');
    await route.fulfill({ response: answer, body: html });
  });
  await page.addInitScript(() => {
    for (const name of ['AbortController', 'PointerEvent', 'ResizeObserver', 'IntersectionObserver', 'PerformanceObserver', 'ManagedMediaSource']) delete window[name];
    for (const name of ['entries', 'values', 'fromEntries', 'hasOwn']) delete Object[name];
    for (const name of ['flat', 'flatMap', 'at', 'findLast']) delete Array.prototype[name];
    for (const name of ['padStart', 'padEnd', 'at', 'replaceAll', 'matchAll', 'trimEnd']) delete String.prototype[name];
    for (const kind of [Element, Document, DocumentFragment]) for (const name of ['append', 'prepend', 'replaceChildren']) delete kind.prototype[name];
    delete Promise.prototype.finally;
    delete NodeList.prototype[Symbol.iterator];
    delete NodeList.prototype.forEach;
    delete HTMLCollection.prototype[Symbol.iterator];
    delete KeyboardEvent.prototype.key;
    delete Navigator.prototype.mediaCapabilities;
    delete Navigator.prototype.mediaSession;
  });
  await page.goto(`${EDGE}#/lesson/${LESSON}`);
  await page.waitForFunction(() => window.airclass?.duration > 0);
  // A page that nobody has touched may not be let play by itself.
  await press(page);
  await playOn(page, 1);
  await page.keyboard.press('k');
  await page.waitForFunction(() => window.airclass.phase === 'paused');
  assert.match(await page.evaluate(() => document.querySelector('script').src), /\/legacy-/);
  await assertNothingFatal(page);
});

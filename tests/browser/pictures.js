// The pictures of README.md and docs/, of a page and a node at work:
//   node tests/browser/pictures.js http://127.0.0.1:8080 http://127.0.0.1:9101 sample
// The addresses of an edge and of its admin listener, and the lesson that is played. `make demo` has all three; with a timetable of today
// there is more to see.

import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { ARGUMENTS, EXECUTABLE, PATIENCE_MS } from './browser.js';

const [page = 'http://127.0.0.1:8080', admin = 'http://127.0.0.1:9101', lesson = 'sample'] = process.argv.slice(2);
const folder = fileURLToPath(new URL('../../docs/pictures/', import.meta.url));
const PHONE = { width: 360, height: 640 };
const DESK = { width: 1180, height: 820 };
/** Of the lesson, in seconds: its picture is there, and its page has settled. */
const PLAYED = 8;

const browser = await chromium.launch({ executablePath: EXECUTABLE, args: ARGUMENTS });

async function shown(url, viewport) {
  const tab = await browser.newPage({ viewport, locale: 'zh-CN', reducedMotion: 'reduce' });
  tab.setDefaultTimeout(PATIENCE_MS);
  await tab.goto(url);
  await tab.waitForLoadState('networkidle');
  return tab;
}

const kept = (tab, name) => tab.screenshot({ path: `${folder}${name}.png` });

await kept(await shown(page, PHONE), 'home');
const playing = await shown(`${page}/#/lesson/${lesson}`, PHONE);
await playing.locator('video').evaluate((video) => video.play());
await playing.waitForFunction((played) => (document.querySelector('video')?.currentTime ?? 0) > played, PLAYED);
await kept(playing, 'lesson');
await kept(await shown(admin, DESK), 'node');
await browser.close();

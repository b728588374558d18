// Subtitles: chosen, shown in time, remembered, and kept with the lesson.

import assert from 'node:assert/strict';
import { before } from 'node:test';
import { assertNothingFatal, openBrowser, openPage, playKept, playLesson, press, test, until } from './support.js';

let browser;
before(async (t) => {
  browser = await openBrowser(t);
});

/** What the journey wrote beside the lesson: a line in each five seconds, but for the last of them. */
const LINE = /^第(\d+)句 1 < 2$/;

/** Waits until a line is shown that is due at the lesson's place. */
function lineInTime(page) {
  return page.waitForFunction((source) => {
    const line = new RegExp(source).exec(document.querySelector('.subtitles')?.innerText ?? '');
    const { position } = window.airclass;
    return line && position > (Number(line[1]) - 1) * 5 - 0.5 && position < Number(line[1]) * 5;
  }, LINE.source);
}

async function take(page, language) {
  await page.click('[data-menu=subtitles] .menu-button');
  await page.click(`[data-menu=subtitles] [data-value="${language}"]`);
}

test('subtitles are off until somebody takes them, and stay taken', async (t) => {
  const page = await openPage(t, browser);
  const asked = [];
  page.on('request', (request) => /\/subs\//.test(request.url()) && asked.push(request.url()));
  await playLesson(page);
  await page.waitForSelector('[data-menu=subtitles]');
  assert.deepEqual(asked, [], 'who takes none fetches none');
  const named = () => page.locator('[data-menu=subtitles] .menu-button').getAttribute('aria-label');
  assert.equal(await named(), '字幕: 关');
  await take(page, 'zh-CN');
  assert.equal(await named(), '字幕: 简体中文');
  await lineInTime(page);
  // Beside the picture, not on it.
  const [picture, lines, bar] = await page.evaluate(() => ['.stage', '.subtitles', '.bar'].map((name) => document.querySelector(name).getBoundingClientRect().toJSON()));
  assert.ok(lines.top >= picture.bottom && bar.top >= lines.bottom);
  await page.keyboard.press('5');
  await lineInTime(page);
  assert.equal(await page.locator('.subtitles').getAttribute('lang'), 'zh-CN');
  // Where there is only sound, too.
  await page.click('[data-menu=mode] .menu-button');
  await page.click('[data-menu=mode] [data-value=sound]');
  await page.waitForFunction(() => window.airclass.playing && window.airclass.mode === 'sound');
  await lineInTime(page);

  await page.reload();
  await lineInTime(page);
  await take(page, '');
  assert.equal(await page.locator('.subtitles').isVisible(), false);
  assert.equal(await page.locator('track').count(), 0);
  await assertNothingFatal(page);
});

for (const [width, height] of [[480, 320], [568, 320], [640, 360], [844, 390], [1280, 590], [1366, 606], [320, 568]]) {
  test(`a long line takes nothing of the bar from a screen of ${width} by ${height}`, async (t) => {
    const page = await openPage(t, browser, { viewport: { width, height } });
    const long = '同学们，今天我们来学习分数的初步认识，把一个月饼平均分成四份，每一份是它的四分之一';
    await page.route('**/all.vtt', (route) => route.fulfill({ contentType: 'text/vtt', body: `WEBVTT\n\n00:00:00.000 --> 00:10:00.000\n${long}\n` }));
    await playLesson(page);
    await take(page, 'zh-CN');
    await page.waitForFunction((line) => document.querySelector('.subtitles').innerText === line, long);
    const seen = await page.evaluate(() => ['.stage', '.subtitles', '.bar'].map((name) => document.querySelector(name).getBoundingClientRect().toJSON()));
    const [picture, lines, bar] = seen;
    assert.ok(bar.bottom <= height && bar.right <= width, JSON.stringify(seen));
    // Beside the picture, whichever side.
    assert.ok(lines.top >= picture.bottom || lines.left >= picture.right, JSON.stringify(seen));
    assert.ok(bar.top >= lines.bottom && bar.top >= picture.bottom, JSON.stringify(seen));
  });
}

for (const locale of ['zh-CN', 'en']) {
  test(`with subtitles the table of keys has its button still, in a window of 720 lines (${locale})`, async (t) => {
    const page = await openPage(t, browser, { viewport: { width: 1366, height: 620 }, locale });
    await playLesson(page);
    await page.waitForSelector('.bar.crowded');
    const rows = await page.evaluate(() => new Set([...document.querySelectorAll('.control')].filter((control) => control.offsetParent).map((control) => Math.round(control.getBoundingClientRect().top))).size);
    assert.equal(rows, 1);
    await page.click('[data-control=help]');
    await page.waitForSelector('dialog[open] kbd');
  });
}

test('subtitles that do not come are asked for again', async (t) => {
  const page = await openPage(t, browser, { expected: /ERR_FAILED/ });
  let asked = 0;
  await page.route('**/all.vtt', (route) => {
    asked += 1;
    return asked === 1 ? route.abort() : route.continue();
  });
  await playLesson(page);
  await take(page, 'zh-CN');
  await until(() => asked === 2, 'asked for twice');
  await lineInTime(page);
});

test('a kept lesson has its subtitles with it', async (t) => {
  const page = await openPage(t, browser, { expected: /Failed to load resource/ });
  await playLesson(page);
  await take(page, 'zh-CN');
  await playKept(page);
  await lineInTime(page);
});

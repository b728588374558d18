// A browser that keeps nothing: cookies and all storage are blocked for every site, as some schools' computers have it.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { ARGUMENTS, assertNothingFatal, EDGE, EXECUTABLE, LESSON, playOn, state, test } from './support.js';

/** Chromium's number for "block". */
const BLOCK = 2;

test('with cookies and storage disabled everything plays, and nothing asks who is there', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'airclass-'));
  mkdirSync(join(folder, 'Default'));
  writeFileSync(join(folder, 'Default/Preferences'), JSON.stringify({ profile: { default_content_setting_values: { cookies: BLOCK } } }));
  const context = await chromium.launchPersistentContext(folder, { executablePath: EXECUTABLE, args: ARGUMENTS, locale: 'zh-CN', baseURL: EDGE });
  t.after(async () => {
    await context.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const page = await context.newPage();
  const faults = [];
  page.on('pageerror', (error) => faults.push(error.message));
  context.on('response', (response) => {
    const { status, fields } = { status: response.status(), fields: response.headers() };
    if ([401, 402, 407, 511].includes(status) || fields['www-authenticate'] || fields['set-cookie']) faults.push(`${status} from ${response.url()}`);
  });
  // How lines are is told in a closed form, see weak.test.js.
  context.on('request', (request) => !['GET', 'HEAD'].includes(request.method()) && !request.url().endsWith('/cmcd') && faults.push(`${request.method()} ${request.url()}`));

  await page.goto('/');
  const stored = await page.evaluate(() => {
    try {
      return String(localStorage.length);
    } catch (error) {
      return error.name;
    }
  });
  assert.equal(stored, 'SecurityError', 'storage is really blocked');
  assert.equal(await page.locator('input[type=password], input[type=email], input[type=tel], input[type=file], textarea').count(), 0);
  await page.click(`.lessons [data-lesson="${LESSON}"]`);
  await page.waitForFunction(() => window.airclass.playing && window.airclass.position > 0.5);
  await page.keyboard.press('5');
  await page.waitForFunction(() => window.airclass.playing && window.airclass.position > window.airclass.duration / 2);
  await playOn(page, 1);
  await assertNothingFatal(page);
  assert.equal((await state(page)).lesson, LESSON);

  // What would be kept says that it cannot be.
  await page.goto('/');
  await page.click('.class summary');
  await page.fill('#class-code', '22222-22222');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => /不能参加/.test(document.querySelector('#class-said').textContent));
  assert.deepEqual(faults, []);
});

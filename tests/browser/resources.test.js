// 课本和资料: what can be taken home, and the provinces' own platforms, one of which is down.

import assert from 'node:assert/strict';
import { before } from 'node:test';
import { openBrowser, openPage, test } from './support.js';

const SUM = '0123456789abcdef'.repeat(4);
const PATH = `r/${SUM}.pdf`;
const BOOK = {
  resource: 'maths-3a', title: '数学 三年级 上册', kind: 'textbook', stage: 'primary', grade: 3, subject: '数学', provider: '人教社', licence: '供教学使用',
  files: [{ path: PATH, name: '数学.pdf', bytes: 8, sha256: SUM }],
};
const PLATFORMS = [
  { id: 'nation', zh: '国家平台', en: 'Nation', url: 'https://nation.example/', group: 'nation' },
  { id: 'hubei', zh: '湖北平台', en: 'Hubei', url: 'https://hubei.example/', group: 'hubei', instead: 'nation' },
  // No edge stands before it: somebody looks at it from time to time.
  { id: 'henan', zh: '河南平台', en: 'Henan', url: 'https://henan.example/', instead: 'nation' },
];

let browser;
before(async (t) => {
  browser = await openBrowser(t);
});

test('textbooks are listed with their source, and lead to the file itself, under its name', async (t) => {
  const page = await openPage(t, browser);
  await page.route('**/resources/index.json', (route) => route.fulfill({ json: { version: 1, resources: [BOOK] } }));
  await page.route(`**/${PATH}`, (route) => route.fulfill({ body: '%PDF-1.7', headers: { 'content-type': 'application/pdf' } }));
  await page.goto('/#/resources');
  await page.waitForSelector('[data-resource=maths-3a]');
  assert.match(await page.innerText('[data-resource=maths-3a]'), /数学 三年级 上册[\s\S]*课本\s· 数学[\s\S]*来源：人教社\s· 许可：供教学使用/);
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('[data-resource=maths-3a] a')]);
  assert.equal(download.suggestedFilename(), '数学.pdf');
  // Its bytes are looked at by the journey of a storm: what a test makes up for a browser is no download to it.
  assert.equal(new URL(download.url()).pathname, `/${PATH}`);
});

test('texts read aloud are listened to on the page, one by one', async (t) => {
  const page = await openPage(t, browser);
  const sound = (digit) => ({ path: `r/${digit.repeat(64)}.mp3`, name: `第${digit}课.mp3`, bytes: 8, sha256: digit.repeat(64) });
  const set = { ...BOOK, resource: 'read-3a', kind: 'audio', title: '语文 三年级 上册 朗读', files: [sound('1'), sound('2')] };
  await page.route('**/resources/index.json', (route) => route.fulfill({ json: { version: 1, resources: [set] } }));
  const asked = [];
  page.on('request', (request) => /\/r\//.test(request.url()) && asked.push(request.url()));
  await page.goto('/#/resources');
  await page.waitForSelector('[data-resource=read-3a] audio');
  assert.equal(await page.locator('[data-resource=read-3a] audio[controls][aria-label]').count(), 2);
  assert.deepEqual(asked, [], 'nothing is fetched before somebody wishes it');
});

test('where many download the turn is said and waited for, and the file then comes by itself', async (t) => {
  const page = await openPage(t, browser, { expected: /Failed to load resource/ });
  await page.route('**/resources/index.json', (route) => route.fulfill({ json: { version: 1, resources: [BOOK] } }));
  let asked = 0;
  await page.route(`**/${PATH}`, (route) => {
    asked += 1;
    if (asked === 1) return route.fulfill({ status: 503, headers: { 'retry-after': '4' } });
    return route.fulfill({ body: '%PDF-1.7', headers: { 'content-type': 'application/pdf' } });
  });
  await page.goto('/#/resources');
  const download = page.waitForEvent('download');
  await page.click('[data-resource=maths-3a] a');
  await page.waitForFunction(() => /[1-4] 秒后自动开始/.test(document.querySelector('[data-resource=maths-3a]').innerText));
  assert.equal((await download).suggestedFilename(), '数学.pdf');
});

test('a platform that is down is marked and says where to go meanwhile; the others are as they were', async (t) => {
  const page = await openPage(t, browser);
  await page.route('**/resources/platforms.json', (route) => route.fulfill({ json: { platform: PLATFORMS } }));
  await page.route('**/resources/health.json', (route) => route.fulfill({ json: { groups: { nation: 'up', hubei: 'down' } } }));
  const found = { at_s: Math.floor(Date.now() / 1_000) - 60, platforms: { nation: 'down', henan: 'down' } };
  await page.route('**/resources/standing.json', (route) => route.fulfill({ json: found }));
  await page.goto('/#/resources');
  await page.waitForSelector('[data-platform=hubei][data-standing=down]');
  assert.match(await page.innerText('[data-platform=henan]'), /河南平台 暂时打不开 可以先去：国家平台/);
  assert.match(await page.innerText('[data-platform=hubei]'), /湖北平台 暂时打不开 可以先去：国家平台/);
  assert.equal(await page.innerText('[data-platform=nation]'), '国家平台');
});

test('a list of textbooks that does not come is said so, and read again by itself', async (t) => {
  const page = await openPage(t, browser, { expected: /Failed to load resource/ });
  let asked = 0;
  await page.route('**/resources/index.json', (route) => {
    asked += 1;
    return asked < 3 ? route.fulfill({ status: 503, body: '' }) : route.fulfill({ json: { version: 1, resources: [BOOK] } });
  });
  await page.goto('/#/resources');
  await page.waitForSelector('[data-advice=resources] button');
  await page.waitForSelector('[data-resource=maths-3a]');
  assert.equal(asked, 3);
});

test('where nothing is published the page says so', async (t) => {
  const page = await openPage(t, browser);
  await page.goto('/#/resources');
  await page.waitForFunction(() => /还没有课本和资料/.test(document.body.innerText));
});

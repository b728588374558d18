// The operators' page of a node, in Chromium. Run by `journeys/board.rs`, which fetches a lesson twice and then rings a bell; not by `node --test`.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { before } from 'node:test';
import { openBrowser, openPage, required, test } from './browser.js';

const ADMIN = required('AIRCLASS_ADMIN', 'the admin listener of an edge, with a slash at the end');
const ASK = required('AIRCLASS_ASK', 'a file that is made when the bell may ring');
const PACKAGE = required('AIRCLASS_PACKAGE', 'the package that was played');
const LESSON_BYTES = Number(required('AIRCLASS_LESSON_BYTES', 'how many bytes of its objects were sent'));
const UPSTREAM = required('AIRCLASS_UPSTREAM', 'the edge’s upstream');
const PICTURES = required('AIRCLASS_PICTURES', 'a folder for pictures of the page');
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What the counters on the page are sums of, by the outcome of a request. */
const TIERS = {
  ram: ['hit', 'stale_while_revalidate', 'stale_on_error'],
  disk: ['hit_disk'],
  upstream: ['partial', 'revalidated', 'miss', 'collapsed', 'pass'],
  own: ['only_if_cached', 'shed', 'not_yet', 'waiting', 'plan', 'on_air', 'counted', 'refused', 'failed'],
};

/** Between two looks of the page, and after so long without an answer it says so for certain, in milliseconds. */
const LOOK_MS = 6_000;
const SILENCE_MS = 24_000;

let browser;
before(async (t) => {
  browser = await openBrowser(t);
  mkdirSync(PICTURES, { recursive: true });
});

const open = (t, options = {}) => openPage(t, browser, { edge: ADMIN, baseURL: ADMIN, ...options });

/** Opens the page and waits for its first figures. */
async function show(page) {
  await page.goto('/');
  await page.waitForSelector('body[data-at]');
}

/** Waits until the page has looked again. */
async function lookAgain(page) {
  const at = await page.getAttribute('body', 'data-at');
  await page.waitForFunction((before) => document.body.dataset.at !== before, at);
}

/** `/metrics` as a function of name and label: sums of the series that have it. */
async function metrics() {
  const text = await (await fetch(`${ADMIN}metrics`)).text();
  const series = text.split('\n').filter((line) => line && !line.startsWith('#')).map((line) => /^(\w+)(\{.*\})? (\S+)$/.exec(line));
  return (name, label = '') => {
    const found = series.filter((one) => one?.[1] === name && (one[2] ?? '').includes(label));
    assert.ok(found.length > 0, `${name} ${label}`);
    return found.reduce((sum, one) => sum + Number(one[3]), 0);
  };
}

async function assertAccessible(page, name) {
  // The page's own policy lets no script in but its own; the debugger's words are not a script of the page.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  assert.deepEqual(serious.map(({ id, nodes }) => `${name}: ${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' ')}`), []);
}

const digits = (text) => Number(text.replace(/\s/g, ''));

test('the numbers on the page are those of the metrics', async (t) => {
  const page = await open(t);
  await show(page);
  const counter = await metrics();
  const status = await (await fetch(`${ADMIN}status.json`)).json();
  await lookAgain(page);
  const after = await metrics();
  const shown = Object.fromEntries(await page.$$eval('[data-count]', (cells) => cells.map((cell) => [cell.dataset.count, cell.textContent])));
  for (const [tier, outcomes] of Object.entries(TIERS)) {
    for (const [what, name] of [['requests', 'edge_requests_total'], ['bytes', 'edge_response_bytes_total']]) {
      const sum = (of) => outcomes.reduce((all, outcome) => all + of(name, `outcome="${outcome}"`), 0);
      assert.equal(sum(counter), sum(after), 'nothing goes on');
      assert.equal(digits(shown[`${what}_${tier}`]), sum(after), `${what} ${tier}`);
      assert.equal(status.counts[`${what}_${tier}`], sum(after));
    }
  }
  assert.equal(digits(shown.requests), after('edge_requests_total'));
  assert.equal(digits(shown.bytes), after('edge_response_bytes_total'));
  assert.ok(digits(shown.bytes) > LESSON_BYTES);
  assert.equal(digits(shown.sent_bytes), after('serve_sent_bytes_total'));
  assert.equal(digits(shown.received_bytes), after('edge_fill_bytes_total'));
  assert.match(await page.locator('.bandwidth').innerText(), /10\.0 Gbit\/s/, 'the cap');
  assert.equal(status.bandwidth.limit_bps, after('edge_capacity_bps'));
  assert.match(await page.locator('header').innerText(), /bofei · hubei · dianxin · wuhan-1[\s\S]*可接收流量/);
});

test('lessons, upstreams and charts are there at once', async (t) => {
  const page = await open(t);
  await show(page);
  const lesson = page.locator('.lessons li').first();
  assert.equal(await lesson.getAttribute('data-package'), PACKAGE);
  assert.match(await lesson.innerText(), /数学 · 分数的初步认识/);
  assert.ok(Number(await lesson.getAttribute('data-bytes')) >= LESSON_BYTES);
  assert.equal(await page.locator(`[data-upstream="${UPSTREAM}"] .dot.good`).count(), 1);
  assert.equal(await page.locator('.machine').getByText('内存缓存').count(), 1);
  // What was sent before the page was opened is drawn: the node keeps samples.
  await page.waitForFunction(() => {
    const canvases = [...document.querySelectorAll('.plot canvas')];
    const drawn = (canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0);
    return canvases.length === 3 && canvases.every(drawn);
  });
});

test('an alarm says what is wrong, what to do, and leads to its runbook', async (t) => {
  const page = await open(t);
  await show(page);
  await page.locator('.calm').waitFor();
  assert.equal((await fetch(`${ADMIN}out-of-service`, { method: 'POST', headers: { origin: 'https://elsewhere.example' } })).status, 403);
  // Node's fetch says that it is a script; what operators use does not.
  assert.equal(await post('out-of-service'), 200);
  const alarm = page.locator('[data-alarm=not_ready]');
  await alarm.waitFor();
  assert.match(await alarm.innerText(), /今天处理[\s\S]*节点未就绪[\s\S]*in_service/);
  assert.match(await page.locator('header').innerText(), /未就绪/);
  await assertAccessible(page, 'alarm');
  await page.screenshot({ path: join(PICTURES, 'alarm.png'), fullPage: true });
  const [runbook] = await Promise.all([page.context().waitForEvent('page'), alarm.locator('a').click()]);
  await runbook.waitForLoadState();
  assert.match(await runbook.locator('body').innerText(), /AirclassNotReady/);
  await runbook.close();
  assert.equal(await post('in-service'), 200);
  await page.locator('.calm').waitFor();
});

/** An order, as curl gives it. */
async function post(order) {
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    const sent = request(`${ADMIN}${order}`, { method: 'POST' }, (answer) => answer.resume().on('end', () => resolve(answer.statusCode)));
    sent.on('error', reject).end();
  });
}

test('figures that do not come are not called live, nor all well', async (t) => {
  const page = await open(t, { expected: /Failed to load resource/ });
  await page.clock.install();
  let reachable = false;
  await page.route('**/status.json', (route) => (reachable ? route.continue() : route.abort()));
  await page.goto('/');
  await page.locator('.live', { hasText: '正在读取…' }).waitFor();
  assert.equal(await page.locator('.calm').isVisible(), false);
  await page.clock.runFor(SILENCE_MS);
  await page.locator('.unheard', { hasText: '还没有收到过节点的数据' }).waitFor();
  await assertAccessible(page, 'nothing has come');
  reachable = true;
  await page.clock.runFor(LOOK_MS);
  await page.locator('.live', { hasText: '实时' }).waitFor();
  await page.locator('.calm').waitFor();
  reachable = false;
  await page.clock.runFor(SILENCE_MS);
  await page.locator('.unheard', { hasText: '下面是之前的数据' }).waitFor();
  assert.match(await page.locator('.live').innerText(), /已 \d+ 秒没有收到数据/);
  assert.equal(await page.locator('.calm').isVisible(), false);
  assert.equal(await page.locator('header .state').isVisible(), false, 'nor ready');
  await assertAccessible(page, 'old figures');
});

test('it speaks Chinese first and English, by browser or by a press', async (t) => {
  const page = await open(t);
  await show(page);
  assert.equal(await page.locator('html').getAttribute('lang'), 'zh-CN');
  await page.locator('.bandwidth').getByRole('heading', { name: '带宽' }).waitFor();
  await page.click('.language');
  await page.locator('.bandwidth').getByRole('heading', { name: 'Bandwidth' }).waitFor();
  assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  await assertAccessible(page, 'english');
  await page.reload();
  await page.locator('.bells').getByRole('heading', { name: 'Bells of the day' }).waitFor();
  const english = await open(t, { locale: 'en-GB' });
  await show(english);
  assert.match(await english.locator('main').innerText(), /No alarm: all is well[\s\S]*Most watched lessons/);
});

for (const [name, options, letters = '100%'] of [
  ['phone', { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2 }],
  ['phone-large', { viewport: { width: 360, height: 740 } }, '200%'],
  ['narrow-large', { viewport: { width: 320, height: 640 } }, '200%'],
  ['wall', { viewport: { width: 1920, height: 1080 } }],
  ['wall-dark', { viewport: { width: 1920, height: 1080 }, colorScheme: 'dark' }],
]) {
  test(`it fits and axe finds nothing serious: ${name}`, async (t) => {
    const page = await open(t, options);
    await show(page);
    await page.evaluate((size) => (document.documentElement.style.fontSize = size), letters);
    await lookAgain(page);
    const fits = await page.evaluate(() => {
      // As they are after a year, until the page looks again.
      for (const figure of document.querySelectorAll('td[data-count^=bytes]')) figure.textContent = '12\u2009345\u2009678\u2009901\u2009234\u2009567';
      return document.documentElement.scrollWidth <= innerWidth;
    });
    assert.ok(fits, 'nothing to scroll sideways');
    const small = await page.evaluate(() => [...document.querySelectorAll('a, button')].map((one) => [one.outerHTML.slice(0, 80), one.getBoundingClientRect().height]).filter(([, height]) => height < 43.5));
    assert.deepEqual(small, [], 'a finger hits all that can be pressed');
    await assertAccessible(page, name);
    await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
  });
}

test('the listener answers reads only, and pages of others give no orders', async () => {
  for (const path of ['', 'status.json', 'samples.json', 'page/main.js', 'metrics']) {
    const head = await fetch(ADMIN + path, { method: 'HEAD' });
    assert.equal(head.status, 200, path);
    assert.equal(head.headers.get('set-cookie'), null);
    assert.match(head.headers.get('content-security-policy'), /default-src 'none'.*frame-ancestors 'none'/);
    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const answer = await fetch(ADMIN + path, { method });
      assert.equal(answer.status, 405, `${method} ${path}`);
      assert.equal(answer.headers.get('allow'), 'GET, HEAD');
    }
  }
});

test('the bell is counted down to, with its readiness, and comes', async (t) => {
  const page = await open(t);
  await show(page);
  const before = await metrics();
  const half = page.locator('[data-bell="2026-09-01T07:30"]');
  assert.equal(Number(await half.locator('.ready').getAttribute('data-ratio')), before('airclass_fill_ready_ratio', 'bell="2026-09-01T07:30"'));
  assert.match(await page.locator('.bells').innerText(), /下一次上课 07:30 · 1 节课\s+1:\d\d:\d\d\s+备齐 100 % · /);
  await page.locator('.card.bells').screenshot({ path: join(PICTURES, 'bell.png') });
  writeFileSync(ASK, '');
  await half.waitFor({ state: 'detached' });
  const row = page.locator('.bells .list li').nth(1);
  await page.waitForFunction(() => {
    const rows = document.querySelectorAll('.bells .list li');
    return rows.length === 2 && [...rows].every((row) => row.classList.contains('past'));
  });
  assert.match(await row.innerText(), /已开始[\s\S]*100 %/);
  const after = await metrics();
  const bell = await row.getAttribute('data-bell');
  assert.equal(Number(await row.locator('.ready').getAttribute('data-ratio')), after('airclass_fill_ready_ratio', `bell="${bell}"`));
  assert.match(await page.locator('.bells').innerText(), /今天的课都已开始/);
});

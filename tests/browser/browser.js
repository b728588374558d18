// What journeys in a browser share: a browser, and a page that is watched for what must never happen.

import assert from 'node:assert/strict';
import { test as begin } from 'node:test';
import { chromium } from 'playwright-core';

/** The longest wait for any one event, in milliseconds: decoding on two busy cores, not a sleep. */
export const PATIENCE_MS = 150_000;

/** The longest that a test takes, in milliseconds: one that hangs is told by its name, and the others go on. */
const HANGS_MS = 600_000;

/** A test, `run` with its context. */
export function test(name, run) {
  return begin(name, { timeout: HANGS_MS }, run);
}

/** The longest account of what a page was doing at its end, in characters. */
const MOST_SAID = 2_000;

/** Complaints that are said of a page. */
const MOST_COMPLAINTS = 20;

export function required(name, meaning) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: it is ${meaning}`);
  return value;
}

/** The browser. */
export const EXECUTABLE = process.env.CHROMIUM || '/usr/bin/chromium';

/** How it is started, but for the way to the edge. */
export const ARGUMENTS = [
  '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--mute-audio',
];

/** A Chromium with a new, empty profile, closed when the test file ends. `transport` are its arguments about the way to the edge. */
export async function openBrowser(t, transport = ['--disable-quic']) {
  const browser = await chromium.launch({ executablePath: EXECUTABLE, args: [...ARGUMENTS, ...transport] });
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
export async function openPage(t, browser, { expected, line, edge = line?.url, ...options } = {}) {
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
    // Read by whoever wonders why a test failed; nobody sees it of one that passed.
    const state = await page.evaluate(() => JSON.stringify(window.airclass)).catch((error) => error.message);
    console.log(`# ${t.name}: ${state?.slice(0, MOST_SAID)}`);
    // Of a test that has failed already, what fails here is not said.
    for (const complaint of complaints.slice(0, MOST_COMPLAINTS)) console.log(`# ${t.name}: ${complaint}`);
    const cookies = await context.cookies();
    await context.close();
    await line?.close();
    assert.deepEqual(cookies, []);
    assert.deepEqual(complaints, []);
  });
  return page;
}

/**
 * Presses "play" where the page was not let play by itself. A press may be given up for another load of the same lesson, after
 * which it plays all the same: that it plays is for the test to see.
 */
export function press(page) {
  return page.evaluate(() => window.airclass.playing || document.querySelector('video').play().catch(() => undefined));
}

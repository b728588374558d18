// A lesson on the screen: picture, sound, quality, position, keys.

import assert from 'node:assert/strict';
import { before } from 'node:test';
import { EDGE, LESSON, assertNothingFatal, openBrowser, openList, openPage, playLesson, playOn, state, test } from './support.js';

let browser;
before(async (t) => {
  browser = await openBrowser(t);
});

test('picture advances, sound decodes, the quality can be changed', async (t) => {
  const page = await openPage(t, browser);
  await playLesson(page);
  assert.equal((await state(page)).engine, 'hls.js');

  const before = await look(page);
  await playOn(page, 1);
  await page.waitForFunction(
    ({ drawn }) => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 36 });
      const context = canvas.getContext('2d');
      context.drawImage(document.querySelector('video'), 0, 0, 64, 36);
      return canvas.toDataURL() !== drawn;
    },
    before,
  );
  const after = await look(page);
  assert.ok(after.frames > before.frames, `pictures ${before.frames} → ${after.frames}`);
  await page.waitForFunction(() => document.querySelector('video').webkitAudioDecodedByteCount > 0);

  // Another rung than the one on screen, not the largest: this machine decodes without a graphics card.
  const { levels } = await state(page);
  assert.ok(levels.length > 1, 'the lesson has several rungs');
  const shown = await page.evaluate(() => document.querySelector('video').videoHeight);
  const wanted = levels.filter((level) => level.height !== shown).sort((a, b) => Math.abs(a.height - 360) - Math.abs(b.height - 360))[0];
  await page.click('[data-menu=quality] .menu-button');
  await page.click(`[data-menu=quality] [data-value="${wanted.index}"]`);
  await page.waitForFunction((height) => document.querySelector('video').videoHeight === height, wanted.height);
  await page.waitForFunction((index) => window.airclass.level?.index === index, wanted.index);
  assert.equal((await state(page)).auto, false);
  assert.match(await page.locator('[data-readout=quality]').innerText(), new RegExp(`^${wanted.height}p · `));
  await playOn(page, 1);

  assert.ok((await state(page)).bytes > 10_000);
  assert.match(await page.locator('[data-readout=bytes]').innerText(), /^[\d.]+ [kM]B$/);
  await assertNothingFatal(page);
});

test('every rung is offered with its height, its bit rate and what the lesson costs', async (t) => {
  const page = await openPage(t, browser);
  await playLesson(page);
  const { levels } = await state(page);
  await page.click('[data-menu=quality] .menu-button');
  const offers = await rungsOffered(page);
  assert.equal(offers.length, levels.length + 1);
  assert.match(offers[0], /^自动/);
  for (const offer of offers.slice(1)) assert.match(offer, /^\d+p\s+[\d.]+ [kM]bit\/s · 全课约 [\d.]+ [kMG]B$/);
  await page.keyboard.press('End');
  assert.equal(await page.evaluate(() => document.activeElement.dataset.value), '0');
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('[data-menu=quality] [role=menu]').isVisible(), false);
});

test('a menu that is open stays as it is under the hand while its words change', async (t) => {
  const page = await openPage(t, browser);
  await playLesson(page);
  await page.click('[data-menu=quality] .menu-button');
  await page.keyboard.press('End');
  const before = (await rungsOffered(page)).at(-1);
  const focused = await page.evaluateHandle(() => document.activeElement);
  await page.evaluate(() => {
    const video = document.querySelector('video');
    Object.defineProperty(video, 'duration', { get: () => 2400 });
    video.dispatchEvent(new Event('durationchange'));
  });
  assert.ok(await focused.evaluate((item) => item === document.activeElement), 'the item is another, or is not where the keyboard is any more');
  assert.notEqual((await rungsOffered(page)).at(-1), before, 'what a longer lesson costs');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => window.airclass.chosen === 0);
});

/** What the menu of qualities says, in one look: items may be others at the next. */
function rungsOffered(page) {
  return page.evaluate(() => [...document.querySelectorAll('[data-menu=quality] [role=menuitemradio]')].map((item) => item.innerText));
}

test('what was said over the picture is gone from it, and can be said again', async (t) => {
  const page = await openPage(t, browser);
  await playLesson(page);
  // What is said for a moment is heard in the page: who asks from here may ask when it is gone.
  await page.evaluate(() => {
    const message = document.querySelector('.message');
    window.said = [];
    new MutationObserver(() => window.said.push(message.textContent)).observe(message, { childList: true, characterData: true, subtree: true });
  });
  const hasSaid = (...texts) => page.waitForFunction((all) => JSON.stringify(window.said) === all, JSON.stringify(texts));
  await page.keyboard.press('k');
  await hasSaid('已暂停', '');
  await page.keyboard.press('k');
  await playOn(page, 0.5);
  await hasSaid('已暂停', '');
  await page.keyboard.press('k');
  // The same once more, as who reads by ear hears it.
  await hasSaid('已暂停', '', '已暂停', '');
});

test('a lesson starts on the lowest rung', async (t) => {
  const page = await openPage(t, browser);
  // Asked for before the click: the first picture may be under way before anything else of the page is looked at.
  const firstPicture = page.waitForRequest(/\/[as]\d\/00000\.m4s$/);
  await (await openList(page)).click();
  assert.match(new URL((await firstPicture).url()).pathname, /\/s0\/00000\.m4s$/);
});

test('leaving the lowest rung keeps the sound that is already there', async (t) => {
  const page = await openPage(t, browser);
  await page.addInitScript(() => {
    window.removals = [];
    const kinds = new WeakMap();
    const { addSourceBuffer } = MediaSource.prototype;
    MediaSource.prototype.addSourceBuffer = function (type) {
      const buffer = addSourceBuffer.call(this, type);
      kinds.set(buffer, type.split('/')[0]);
      return buffer;
    };
    const { remove } = SourceBuffer.prototype;
    SourceBuffer.prototype.remove = function (from, to) {
      window.removals.push({ kind: kinds.get(this), from, to, at: document.querySelector('video').currentTime });
      return remove.call(this, from, to);
    };
  });
  await playLesson(page);
  const choose = async (index) => {
    await page.click('[data-menu=quality] .menu-button');
    await page.click(`[data-menu=quality] [data-value="${index}"]`);
    await page.waitForFunction((wanted) => window.airclass.level?.index === wanted, index);
  };
  await choose(0);
  await page.waitForFunction(() => window.airclass.playing && window.airclass.buffered > 8);
  await choose(1);
  // The lowest rung has sound of its own, in mono. What of it is ready to be heard stays: throwing it away at the change
  // would be a gap, just when the line is weak.
  const removals = await page.evaluate(() => window.removals.filter(({ kind, from, to, at }) => kind === 'audio' && from <= at && to > at));
  assert.deepEqual(removals, []);
});

test('seeking goes there and plays on', async (t) => {
  const page = await openPage(t, browser);
  await playLesson(page);
  const { duration } = await state(page);
  await page.keyboard.press('5');
  await page.waitForFunction((half) => window.airclass.playing && window.airclass.position >= half, duration / 2);
  await playOn(page, 0.5);
  // And with the slider, from the keyboard, as a screen reader's user does.
  await page.focus('input.seek');
  await page.keyboard.press('Home');
  await page.waitForFunction((half) => window.airclass.playing && window.airclass.position < half, duration / 2);
  await assertNothingFatal(page);
});

test('a lesson is resumed where it was left, and forgotten on request', async (t) => {
  const page = await openPage(t, browser);
  await playLesson(page);
  const { duration } = await state(page);
  await page.keyboard.press('4');
  await page.waitForFunction((place) => window.airclass.playing && window.airclass.position > place, duration * 0.4);
  await page.keyboard.press('k');
  await page.waitForFunction(() => window.airclass.phase === 'paused');
  const left = (await state(page)).position;

  await page.reload();
  await page.waitForSelector('.resumed');
  // Where it may play by itself it has gone on by as much as the page is old.
  await page.waitForFunction((place) => window.airclass.duration > 0 && window.airclass.position > place - 1.5, left);
  const [resumed, pageAge] = await page.evaluate(() => [window.airclass.position, performance.now() / 1000]);
  assert.ok(resumed < left + 1.5 + pageAge, `${resumed} after ${left}`);
  // A new page may not play by itself before somebody touches it; the button over the picture says so.
  await page.waitForFunction(() => ['paused', 'playing'].includes(window.airclass.phase));
  if ((await state(page)).phase === 'paused') await page.click('.big-play');
  await page.waitForFunction((place) => window.airclass.playing && window.airclass.position > place + 0.5, left);
  await page.click('[data-control=restart]');
  await page.waitForFunction((place) => window.airclass.playing && window.airclass.position < place, left);

  await page.click('.back');
  await page.waitForSelector('.begun .card');
  assert.equal((await state(page)).lesson, null);
  await page.click('[data-control=clear]');
  await page.waitForSelector('.begun', { state: 'detached' });
  assert.equal(await page.evaluate(() => localStorage.getItem('airclass.positions')), null);
});

test('a lesson that was replaced by one that ends before the place where it was left begins anew', async (t) => {
  const page = await openPage(t, browser);
  await page.addInitScript((id) => localStorage.setItem('airclass.positions', JSON.stringify([{ id, title: '课', at: 5_000, of: 6_000, done: false }])), LESSON);
  await (await openList(page)).click();
  await page.waitForFunction(() => window.airclass.playing && window.airclass.position > 0.5 && window.airclass.position < 30);
  assert.equal(await page.locator('.resumed').count(), 0, 'nor is another place told');
  await assertNothingFatal(page);
});

test('the keys do what the table of keys says', async (t) => {
  const page = await openPage(t, browser);
  await playLesson(page);
  const video = (property) => page.evaluate((name) => document.querySelector('video')[name], property);

  await page.keyboard.press('Space');
  await page.waitForFunction(() => window.airclass.phase === 'paused');
  const at = await video('currentTime');
  await page.keyboard.press('l');
  await page.waitForFunction((from) => Math.abs(document.querySelector('video').currentTime - from - 10) < 0.1, at);
  await page.keyboard.press('j');
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction((from) => Math.abs(document.querySelector('video').currentTime - from - 5) < 0.1, at);
  await page.keyboard.press('k');
  await page.waitForFunction(() => window.airclass.playing);

  await page.keyboard.press('Shift+>');
  assert.equal(await video('playbackRate'), 1.25);
  await page.keyboard.press('Shift+<');
  await page.keyboard.press('Shift+<');
  assert.equal(await video('playbackRate'), 0.75);
  await page.keyboard.press('ArrowDown');
  assert.ok(Math.abs((await video('volume')) - 0.9) < 0.001);
  await page.keyboard.press('m');
  assert.equal(await video('muted'), true);
  await page.keyboard.press('m');
  assert.equal(await video('muted'), false);

  await page.keyboard.press('f');
  await page.waitForFunction(() => document.fullscreenElement?.matches('.player.full'));
  await page.keyboard.press('f');
  await page.waitForFunction(() => document.fullscreenElement === null);
  await page.keyboard.press('Shift+?');
  await page.waitForSelector('dialog[open] kbd');
  await page.keyboard.press('Escape');
  await page.waitForSelector('dialog:not([open])', { state: 'attached' });

  // A key for the browser is left to the browser.
  await page.waitForFunction(() => window.airclass.playing);
  await page.keyboard.press('Control+k');
  assert.notEqual((await state(page)).phase, 'paused');
});

test('speed is chosen from its menu and kept for the next lesson', async (t) => {
  const page = await openPage(t, browser);
  await playLesson(page);
  await page.click('[data-menu=speed] .menu-button');
  await page.click('[data-menu=speed] [data-value="1.5"]');
  await page.waitForFunction(() => document.querySelector('video').playbackRate === 1.5);
  await playOn(page, 1);
  await page.click('.back');
  await playLesson(page);
  assert.equal(await page.evaluate(() => document.querySelector('video').playbackRate), 1.5);
});

test('a device that forbids storage plays all the same', async (t) => {
  const page = await openPage(t, browser);
  await page.addInitScript(() => {
    Object.defineProperty(window, 'localStorage', {
      get() {
        throw new DOMException('forbidden', 'SecurityError');
      },
    });
  });
  await playLesson(page);
  await playOn(page, 1);
  await assertNothingFatal(page);
});

test('without Media Source Extensions the system plays, or the page says that it cannot', async (t) => {
  const page = await openPage(t, browser);
  await page.addInitScript(() => {
    delete window.MediaSource;
    delete window.ManagedMediaSource;
    delete window.WebKitMediaSource;
  });
  await (await openList(page)).click();
  const native = await page.evaluate(() => document.createElement('video').canPlayType('application/vnd.apple.mpegurl') !== '');
  if (native) {
    await page.waitForFunction(() => window.airclass.engine === 'native' && window.airclass.playing && window.airclass.position > 1);
    assert.equal(await page.locator('[data-menu=quality] .menu-button').isDisabled(), true);
  } else {
    await page.waitForSelector('.notice[data-size=panel]');
    assert.match(await page.locator('.notice').innerText(), /浏览器太旧/);
  }
});

for (const width of [320, 360, 393]) {
  test(`a phone of ${width} pixels shows the whole player without sideways scrolling`, async (t) => {
    // Not `isMobile`: there `innerWidth` grows with what does not fit, and the button for the full screen was out of the picture.
    const page = await openPage(t, browser, { viewport: { width, height: 740 }, deviceScaleFactor: 2, hasTouch: true });
    await (await openList(page)).tap();
    // Nothing that the bar says becomes longer after that.
    await page.waitForFunction(() => window.airclass.playing && document.querySelector('[data-menu=quality] .menu-button').ariaLabel.includes('p'));
    const box = await page.evaluate(() => {
      const right = Math.max(...[...document.querySelectorAll('.player .bar *')].map((element) => element.getBoundingClientRect().right));
      return { right, scroll: document.documentElement.scrollWidth, rows: new Set([...document.querySelectorAll('.control')].filter((control) => control.offsetParent).map((control) => Math.round(control.getBoundingClientRect().top))).size };
    });
    assert.ok(box.right <= width && box.scroll <= width && box.rows === 1, JSON.stringify(box));
    for (const [view, there] of [['', `.lessons [data-lesson="${LESSON}"]`], ['#/kept', '.kept-file'], ['#/resources', 'h1']]) {
      await page.goto(EDGE + view);
      await page.locator(there).waitFor();
      const { scroll, right } = await page.evaluate(() => ({ scroll: document.documentElement.scrollWidth, right: Math.max(...[...document.querySelectorAll('main *')].map((element) => element.getBoundingClientRect().right)) }));
      assert.ok(scroll <= width && right <= width, `${view}: ${scroll}, ${right}`);
    }
  });
}

/** What is on the screen now: its pixels in small, and how many pictures have been shown. */
function look(page) {
  return page.evaluate(() => {
    const video = document.querySelector('video');
    const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 36 });
    canvas.getContext('2d').drawImage(video, 0, 0, 64, 36);
    return { drawn: canvas.toDataURL(), frames: video.getVideoPlaybackQuality().totalVideoFrames };
  });
}

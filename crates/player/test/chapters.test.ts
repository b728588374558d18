import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseChapters } from '../page/chapters';
import { entryAt } from '../page/entries';
import { parseStills, secondsAt } from '../page/peek';

test('chapters are read as a package lists them, and nothing else of a damaged list', () => {
  const of = (at: unknown, ...titles: unknown[]): unknown => ({ chapter: 1, 'start-time': at, duration: 1, titles });
  const zh = (title: unknown): unknown => ({ language: 'zh-CN', title });
  const listed = [of(55.5, zh('练一练')), of(0, zh('导入'), zh('又')), of('1', zh('a')), of(-1, zh('a')), of(2), of(3, zh('')), of(4, zh(7)), of(5, null), { titles: 1 }, null, 7];
  const chapters = parseChapters(listed);
  assert.deepEqual(chapters, [{ at: 0, title: '导入' }, { at: 55.5, title: '练一练' }]);
  assert.deepEqual([0, 55.4, 55.5, 9_000].map((time) => entryAt(chapters, time)), [0, 0, 1, 1]);
  for (const json of [undefined, null, {}, 'a', 7]) assert.deepEqual(parseChapters(json), []);
  assert.equal(parseChapters(Array.from({ length: 600 }, (_, at) => of(at, zh('长'.repeat(300))))).length, 500);
});

test('small pictures are read as a package lists them, and no other file can be named', () => {
  const cue = (from: string, picture: string): string => `${from} --> 99:00:00.000\n${picture}\n\n`;
  const text = `WEBVTT\n\n${cue('00:00:00.000', '00000.jpg#xywh=0,0,160,90')}${cue('01:02:04.800', '00012.jpg#xywh=160,90,160,90')}${cue('00:00:01.000', '../a.jpg#xywh=0,0,1,1')}${cue('00:00:02.000', '00000.jpg')}`;
  assert.deepEqual(parseStills(text), [
    { at: 0, sheet: '00000.jpg', x: 0, y: 0, width: 160, height: 90 },
    { at: 3724.8, sheet: '00012.jpg', x: 160, y: 90, width: 160, height: 90 },
  ]);
  assert.deepEqual(parseStills('<!doctype html>'), []);
});

test('a place on the bar is the second that a press there leads to', () => {
  const cases: [number, number][] = [[-5, 0], [0, 0], [10, 0], [110, 60], [210, 120], [220, 120], [400, 120]];
  for (const [x, seconds] of cases) assert.equal(secondsAt(x, 220, 20, 120), seconds, String(x));
  assert.equal(secondsAt(5, 10, 20, 120), 0, 'no line at all');
});

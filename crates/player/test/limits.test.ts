import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { at, goOn, isNeverReminded, limitsFor, NOTHING_VIEWED, parseTable, parseViewed, pause, watch, type Row, type Viewed } from '../page/limits';

/** Written by a test of crates/timetable from config/limits.toml. Tests run in the project's folder. */
const shipped = JSON.parse(readFileSync('test/limits.json', 'utf8')) as { policies: Record<string, unknown>[] };
const table = parseTable(shipped)!;
const MINUTE = 60_000;
const START = Date.UTC(2020, 1, 17, 0, 30);

/** Minutes watched without a break until something is said; undefined where nothing is in ten hours. */
function until(row: Row, from: Viewed = NOTHING_VIEWED, began = START): [string, number] | undefined {
  let viewed = from;
  for (let minute = 1; minute <= 600; minute += 1) {
    const now = began + minute * MINUTE;
    viewed = watch(at(viewed, row, now, '2020-02-17'), 'a', 60, now);
    const reason = pause(viewed, row);
    if (reason) return [reason, minute];
  }
  return undefined;
}

/** Minutes of the day until the day is said to be over, by somebody who rests when told to. */
function dayOf(row: Row): number | undefined {
  let [viewed, now] = [NOTHING_VIEWED, START];
  for (let minute = 1; minute <= 600; minute += 1) {
    now += MINUTE;
    viewed = watch(at(viewed, row, now, '2020-02-17'), 'a', 60, now);
    const reason = pause(viewed, row);
    if (reason === 'day') return minute;
    if (reason === 'sitting') now += row.breakMinutes!.value * MINUTE;
  }
  return undefined;
}

test('every official table that is shipped is kept to the minute', () => {
  // place, grade, minutes a day, minutes a sitting, break, lessons a day, part of the source of the strictest of them
  const rows: [string, number, number | undefined, number | undefined, number, number | undefined, string][] = [
    ['nation', 1, 120, 20, 20, undefined, '教育部'],
    ['nation', 6, 120, 20, 20, undefined, '教育部'],
    ['nation', 8, 180, 30, 20, undefined, '教育部'],
    ['nation', 12, 240, 30, 20, undefined, '教育部'],
    ['shanghai', 3, 120, 20, 20, undefined, '上海市教育委员会'],
    ['shanghai', 9, 120, 30, 20, undefined, '上海市教育委员会'],
    ['shanghai', 11, 120, 30, 20, undefined, '上海市教育委员会'],
    ['sichuan', 2, 120, 20, 20, 5, '四川省教育厅'],
    ['sichuan', 10, 240, 20, 20, 5, '四川省教育厅'],
    ['shandong', 5, 120, 20, 20, undefined, '山东省教育厅'],
    ['shandong', 10, 240, 30, 20, undefined, '山东省教育厅'],
    ['fujian/xiamen', 2, 120, 20, 20, undefined, '厦门市教育局'],
    ['fujian/xiamen', 5, 180, 20, 20, undefined, '厦门市教育局'],
    ['fujian/xiamen', 7, 240, 30, 20, undefined, '厦门市教育局'],
    ['fujian/xiamen', 12, 300, 30, 20, undefined, '厦门市教育局'],
    ['henan/zhengzhou', 1, 120, 20, 20, 0, '郑州市教育局'],
    ['henan/zhengzhou', 4, 120, 20, 20, undefined, '郑州市教育局'],
    ['henan/zhengzhou', 8, 180, 30, 20, undefined, '郑州市教育局'],
    ['henan/zhengzhou', 11, 240, 45, 20, undefined, '郑州市教育局'],
  ];
  for (const [place, grade, day, sitting, rest, lessons, authority] of rows) {
    const name = `${place} ${grade}`;
    const row = limitsFor(table, place, grade);
    assert.deepEqual([row.dayMinutes?.value, row.sittingMinutes?.value, row.breakMinutes?.value, row.lessonsADay?.value], [day, sitting, rest, lessons], name);
    const sources = [row.dayMinutes, row.sittingMinutes, row.lessonsADay].map((limit) => limit?.source ?? '');
    assert.ok(sources.some((source) => source.includes(authority)), `${name}: ${sources.join(' | ')}`);
    if (lessons === 0) assert.deepEqual(until(row), ['lessons', 1], name);
    else {
      assert.deepEqual(until(row), ['sitting', sitting], name);
      assert.equal(dayOf(row), day, name);
    }
  }
});

test('another province has other limits without a release, and one without rules the nation’s', () => {
  const reissued = structuredClone(shipped);
  for (const policy of reissued.policies) if (policy.place === 'hubei') policy.day_minutes = { value: 60, place: 'hubei' };
  assert.equal(limitsFor(parseTable(reissued)!, 'hubei', 8).dayMinutes?.value, 60);
  assert.equal(limitsFor(parseTable(reissued)!, 'hunan', 8).dayMinutes?.value, 180);
  assert.equal(limitsFor(table, 'hubei/wuhan', 8).dayMinutes?.value, 180);
  assert.equal(limitsFor(table, 'atlantis', 8).dayMinutes?.value, 180);
});

test('five lessons a day, over all subjects', () => {
  const row = limitsFor(table, 'sichuan', 8);
  let viewed: Viewed = NOTHING_VIEWED;
  ['a', 'b', 'c', 'd', 'e', 'a'].forEach((lesson, index) => {
    const now = START + index * 40 * MINUTE;
    viewed = watch(at(viewed, row, now, '2020-02-17'), lesson, 600, now);
    assert.equal(pause(viewed, row), undefined, lesson);
  });
  viewed = watch(viewed, 'f', 1, START + 300 * MINUTE);
  assert.equal(pause(viewed, row), 'lessons');
});

test('a break ends a sitting, a shorter one does not, midnight ends the day', () => {
  const row = limitsFor(table, 'nation', 3);
  const viewed = watch(at(NOTHING_VIEWED, row, START, 'd1'), 'a', 19 * 60, START);
  assert.equal(at(viewed, row, START + 19 * MINUTE, 'd1').sittingSeconds, 19 * 60);
  assert.equal(at(viewed, row, START + 20 * MINUTE, 'd1').sittingSeconds, 0);
  assert.equal(at(viewed, row, START - 600 * MINUTE, 'd1').sittingSeconds, 19 * 60);
  const next = at(viewed, row, START + MINUTE, 'd2');
  assert.deepEqual([next.seconds, next.sittingSeconds, next.lessons], [0, 19 * 60, []]);
});

test('one press goes on, and the day is not spoken of again', () => {
  const row = limitsFor(table, 'nation', 3);
  const long = watch(at(NOTHING_VIEWED, row, START, 'd1'), 'a', 121 * 60, START);
  assert.equal(pause(long, row), 'day');
  const on = goOn(long, 'day');
  assert.equal(pause(on, row), undefined);
  assert.deepEqual(until(row, on)?.[0], 'sitting');
  assert.equal(pause(goOn({ ...on, sittingSeconds: 1_200 }, 'sitting'), row), undefined);
});

test('who does not say the grade gets the strictest, but is not told to watch nothing', () => {
  const row = limitsFor(table, 'henan/zhengzhou', 0);
  assert.deepEqual([row.dayMinutes?.value, row.sittingMinutes?.value, row.lessonsADay?.value], [120, 20, undefined]);
});

test('the youngest are never reminded', () => {
  assert.deepEqual([0, 1, 2, 3, 4, 12].filter(isNeverReminded), [1, 2, 3]);
});

test('what is no table and no record is not taken for one', () => {
  for (const json of [null, 3, {}, { policies: 'x' }]) assert.equal(parseTable(json), undefined);
  assert.deepEqual(parseTable({ policies: [null, { place: 'a', grades: ['x', 3], day_minutes: { value: '9' } }], exercise: '../x' }), {
    rows: [{ place: 'a', grades: [3] }], names: {}, exercise: '',
  });
  for (const json of [undefined, {}, { day: 'd', seconds: -1, sittingSeconds: 0, last: 0, lessons: [], passed: [] }]) assert.equal(parseViewed(json), NOTHING_VIEWED);
});

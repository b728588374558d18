import assert from 'node:assert/strict';
import test from 'node:test';
import { dayInChina, forGrade, guideOf, parseGuide, timeInChina } from '../page/timetable';
import { day, wordsIn } from '../page/words';

const guide = parseGuide({
  lessons: [
    { lesson: 'b', release: '2020-02-17T01:10:00Z', grades: [7], title: '二' },
    { lesson: 'a', release: '2020-02-17T00:30:00Z', grades: [3], title: '一', subject: '数学' },
    { lesson: '../x', release: '2020-02-17T00:30:00Z', title: 'x' },
    { lesson: 'c', release: 'soon', title: 'x' },
    null,
  ],
})!;

test('what opens today stands in order, for a grade or for all', () => {
  assert.deepEqual(guide.map(({ lesson, release }) => [lesson, timeInChina(release)]), [['a', '08:30'], ['b', '09:10']]);
  assert.deepEqual(forGrade(guide, 7).map(({ lesson }) => lesson), ['b']);
  assert.deepEqual(forGrade(guide, 0).length, 2);
  assert.equal(parseGuide({}), undefined);
});

test('the day is that of China, and only a day that is listed is asked for', () => {
  assert.equal(dayInChina(Date.UTC(2020, 1, 16, 16, 0)), '2020-02-17');
  assert.equal(dayInChina(Date.UTC(2020, 1, 16, 15, 59)), '2020-02-16');
  assert.equal(guideOf({ days: ['2020-02-17'] }, '2020-02-17'), '/timetable/2020-02-17.json');
  for (const days of [{ days: [] }, {}, null, { days: '2020-02-17' }]) assert.equal(guideOf(days, '2020-02-17'), undefined);
});

test('what opens and airs is told by the clock of China on a device of another zone, as the timetable beside it is', () => {
  process.env.TZ = 'Asia/Urumqi';
  const at = Date.UTC(2026, 8, 1, 2, 0);
  assert.equal(new Date(at).getHours(), 8);
  assert.equal(day(at, 'zh'), '9月1日 10:00');
  assert.equal(day(Date.UTC(2026, 7, 31, 16, 5), 'en'), '2026-09-01 00:05');
  assert.match(wordsIn('zh').airs({ channel: 'g7', at }), /今天 10:00 播出/);
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { parseLesson, type Lesson } from '../page/catalogue';
import { byPlace, gradeName, gradeNumber, gradesOf, grouped, matching, subjectsOf } from '../page/grouping';
import { NO_FILTER } from '../page/route';

let count = 0;
function lesson(fields: Record<string, unknown>): Lesson {
  count += 1;
  return parseLesson({ lesson: `l${count}`, title: `课 ${count}`, stage: 'primary', ...fields })!;
}

test('a grade is the same however it is written', () => {
  const rows: [string, number][] = [['三年级', 3], ['3', 3], ['grade-3', 3], ['Grade 3', 3], ['初一', 7], ['七年级', 7], ['高三', 12], ['12', 12], ['13', 99], ['', 99], ['学前', 99]];
  for (const [text, number] of rows) assert.equal(gradeNumber(text), number, text);
  assert.equal(gradeName('3'), '三年级');
  assert.equal(gradeName('学前'), '学前');
});

test('groups stand in the order of school', () => {
  const lessons = [
    lesson({ stage: 'senior', grade: '高一', subject: '物理' }),
    lesson({ grade: '三年级', subject: '数学' }),
    lesson({ stage: 'other' }),
    lesson({ grade: '3', subject: '语文' }),
    lesson({ stage: 'junior', grade: '九年级', subject: '化学' }),
    lesson({ grade: '一年级', subject: '书法' }),
    lesson({ grade: '一年级', subject: '语文' }),
  ];
  assert.deepEqual(
    grouped(lessons).map(({ grade, subject }) => grade + subject),
    ['一年级语文', '一年级书法', '三年级语文', '三年级数学', '九年级化学', '高一物理', ''],
  );
});

test('lessons stand in the order of the book', () => {
  const titles = (fields: Record<string, unknown>[]): string[] => grouped(fields.map(lesson)).flatMap((group) => group.lessons.map(({ title }) => title));
  assert.deepEqual(titles([{ title: '第十课' }, { title: '第二课' }, { title: '第12课' }, { title: '第1课' }]), ['第1课', '第二课', '第十课', '第12课']);
  assert.deepEqual(titles([{ title: '分数（二）' }, { title: '分数（一）' }]), ['分数（一）', '分数（二）']);
  assert.deepEqual(titles([{ title: 'b', volume: '下册', unit: '第一单元' }, { title: 'a', volume: '上册', unit: '第二十一单元' }]), ['a', 'b']);
});

test('a filter lets through what agrees with all of it', () => {
  const lessons = [
    lesson({ title: '认识几分之一', grade: '三年级', subject: '数学', teacher: '王晓梅' }),
    lesson({ title: 'Welcome Back', grade: '3', subject: '英语' }),
    lesson({ title: '孔乙己', stage: 'junior', grade: '九年级', subject: '语文' }),
  ];
  const ids = (filter: Partial<typeof NO_FILTER>): number[] => matching(lessons, { ...NO_FILTER, ...filter }).map((found) => lessons.indexOf(found));
  assert.deepEqual(ids({}), [0, 1, 2]);
  assert.deepEqual(ids({ stage: 'junior' }), [2]);
  assert.deepEqual(ids({ grade: '三年级' }), [0, 1]);
  assert.deepEqual(ids({ grade: '三年级', subject: '英语' }), [1]);
  assert.deepEqual(ids({ query: '王晓梅　分之' }), [0]);
  assert.deepEqual(ids({ query: 'ＷＥＬＣＯＭＥ' }), [1]);
  assert.deepEqual(ids({ query: '三年级' }), [0, 1]);
  assert.deepEqual(ids({ query: '没有' }), []);
});

test('choices are offered once, in order', () => {
  const lessons = [lesson({ grade: '高一', subject: '书法' }), lesson({ grade: '3', subject: '数学' }), lesson({ grade: '三年级', subject: '语文' }), lesson({})];
  assert.deepEqual(gradesOf(lessons), ['三年级', '高一']);
  assert.deepEqual(subjectsOf(lessons), ['语文', '数学', '书法']);
});

test('one lesson is shown for a place in the syllabus, unless a filter hides it', () => {
  const [first, second, other] = [lesson({ lesson: 'a' }), lesson({ lesson: 'b', beside: 'a' }), lesson({ lesson: 'c' })];
  const shown = (lessons: Lesson[]): string[] => byPlace(lessons).map((place) => place.lesson.id + place.beside.map(({ id }) => `(${id})`).join(''));
  assert.deepEqual(shown([first!, second!, other!]), ['a(b)', 'c']);
  assert.deepEqual(shown([second!, other!]), ['b', 'c']);
});

test('a lesson that the index finds is let through', () => {
  const lessons = [lesson({ title: '分数' }), lesson({ title: '小数' })];
  assert.deepEqual(matching(lessons, { ...NO_FILTER, query: 'fenshu' }, new Set([lessons[0]!.id])), [lessons[0]]);
});

test('lessons of an older edition are in the section that took them over', () => {
  const sections = [{ id: 'courses', zh: '课程教学', en: 'Courses', was: ['textbooks'] }];
  const lessons = [lesson({ section: 'textbooks' }), lesson({ section: 'films' }), lesson({ section: 'courses' })];
  assert.deepEqual(matching(lessons, { ...NO_FILTER, section: 'courses' }, undefined, sections), [lessons[0], lessons[2]]);
});

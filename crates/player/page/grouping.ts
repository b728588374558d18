/** How lessons are ordered, filtered and gathered under headings. */

import { STAGES, type Lesson } from './catalogue';
import type { Filter } from './route';
import { sectionOf, type Section } from './sections';

/** Lessons under one heading, in teaching order. */
export interface Group {
  stage: Lesson['stage'];
  grade: string;
  subject: string;
  lessons: Lesson[];
}

const GRADES = ['一年级', '二年级', '三年级', '四年级', '五年级', '六年级', '七年级', '八年级', '九年级', '高一', '高二', '高三'];
const SUBJECTS = [
  '语文', '数学', '英语', '科学', '道德与法治', '思想政治', '物理', '化学', '生物学', '生物', '历史', '地理',
  '信息科技', '信息技术', '通用技术', '音乐', '美术', '艺术', '体育与健康', '体育', '劳动',
];
const VOLUMES = ['上册', '下册', '全一册', '全册'];

/** 1 to 12 for a school grade however it is written (`三年级`, `3`, `grade-3`, `初一`, `高一`); 99 for others. */
export function gradeNumber(grade: string): number {
  const named = GRADES.indexOf(grade);
  if (named >= 0) return named + 1;
  const junior = ['初一', '初二', '初三'].indexOf(grade);
  if (junior >= 0) return junior + 7;
  const digits = /^(?:grade[ _-]?)?(\d{1,2})(?:年级)?$/i.exec(grade);
  const number = digits ? Number(digits[1]) : 0;
  return number >= 1 && number <= 12 ? number : 99;
}

/** The usual Chinese name of a grade; what was written where it is none of the twelve. */
export function gradeName(grade: string): string {
  return GRADES[gradeNumber(grade) - 1] ?? grade;
}

/**
 * Lessons that a filter lets through. The query's words must all occur somewhere in the lesson's texts, or the index has found
 * the lesson. `sections` are those of today.
 */
export function matching(lessons: readonly Lesson[], filter: Filter, found?: ReadonlySet<string>, sections: readonly Section[] = []): Lesson[] {
  const words = queryWords(filter.query);
  return lessons.filter(
    (lesson) =>
      (!filter.stage || lesson.stage === filter.stage) &&
      (!filter.grade || gradeName(lesson.grade) === gradeName(filter.grade)) &&
      (!filter.subject || lesson.subject === filter.subject) &&
      (!filter.section || sectionOf(sections, lesson.section) === filter.section) &&
      (words.length === 0 || found?.has(lesson.id) === true || includesAll(lesson, words)),
  );
}

function includesAll(lesson: Lesson, words: readonly string[]): boolean {
  const { title, subject, edition, volume, unit, teacher, grade, id } = lesson;
  const text = normal([title, subject, edition, volume, unit, teacher, gradeName(grade), id].join(' '));
  return words.every((word) => text.includes(word));
}

/** The words of a query, as they are compared. */
export function queryWords(query: string): string[] {
  return normal(query).split(' ').filter(Boolean);
}

/** Lessons that stand by themselves, with those of the same place in the syllabus: one for a place, the rest below it. */
export function byPlace(lessons: readonly Lesson[]): { lesson: Lesson; beside: Lesson[] }[] {
  const shown = new Set(lessons.map((lesson) => lesson.id));
  // Where a filter hides the one that is shown first, the others are shown in its place.
  const isFirst = (lesson: Lesson): boolean => !shown.has(lesson.beside);
  return lessons.filter(isFirst).map((lesson) => ({ lesson, beside: lessons.filter((other) => other.beside === lesson.id) }));
}

/** Width, case and spacing do not matter to a search. */
function normal(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();
}

/** Lessons by stage, grade and subject, all in the order a school has them. */
export function grouped(lessons: readonly Lesson[]): Group[] {
  const groups = new Map<string, Group>();
  for (const lesson of lessons) {
    const grade = gradeName(lesson.grade);
    const key = [lesson.stage, grade, lesson.subject].join('\n');
    const group = groups.get(key) ?? { stage: lesson.stage, grade, subject: lesson.subject, lessons: [] };
    group.lessons.push(lesson);
    groups.set(key, group);
  }
  const sorted = [...groups.values()].sort(
    (a, b) =>
      STAGES.indexOf(a.stage) - STAGES.indexOf(b.stage) ||
      gradeNumber(a.grade) - gradeNumber(b.grade) ||
      byName(a.grade, b.grade) ||
      subjectOrder(a.subject) - subjectOrder(b.subject) ||
      byName(a.subject, b.subject),
  );
  for (const group of sorted) group.lessons.sort(teachingOrder);
  return sorted;
}

function teachingOrder(a: Lesson, b: Lesson): number {
  return (
    byName(a.edition, b.edition) || volumeOrder(a.volume) - volumeOrder(b.volume) || byName(a.unit, b.unit) || byName(a.title, b.title) || byName(a.id, b.id)
  );
}

/** Grades among lessons, in school order. */
export function gradesOf(lessons: readonly { grade: string }[]): string[] {
  const names = new Set(lessons.map((lesson) => gradeName(lesson.grade)).filter(Boolean));
  return [...names].sort((a, b) => gradeNumber(a) - gradeNumber(b) || byName(a, b));
}

/** Subjects among lessons, in the order of a school report. */
export function subjectsOf(lessons: readonly Lesson[]): string[] {
  const names = new Set(lessons.map((lesson) => lesson.subject).filter(Boolean));
  return [...names].sort((a, b) => subjectOrder(a) - subjectOrder(b) || byName(a, b));
}

function subjectOrder(subject: string): number {
  const place = SUBJECTS.indexOf(subject);
  return place < 0 ? SUBJECTS.length : place;
}

function volumeOrder(volume: string): number {
  const place = VOLUMES.indexOf(volume);
  return place < 0 ? VOLUMES.length : place;
}

/** Numbers inside names count as numbers, in digits and (up to twenty) in Chinese: 第二单元 before 第十单元, （一） before （二）. */
function byName(a: string, b: string): number {
  return collator.compare(digits(a), digits(b));
}

const collator = new Intl.Collator('zh-CN', { numeric: true });
/** A number where a syllabus counts, after 第 or a bracket: 第三课, （三）. */
const CHINESE_NUMBER = /([第（(])([一二三四五六七八九十]{1,3})/g;

function digits(text: string): string {
  return text.replace(CHINESE_NUMBER, (_, before: string, number: string) => before + chineseNumber(number));
}

function chineseNumber(text: string): number {
  const ones = '一二三四五六七八九';
  const [tens, rest] = text.includes('十') ? text.split('十') : [undefined, text];
  const ten = tens === undefined ? 0 : tens === '' ? 1 : ones.indexOf(tens) + 1;
  return ten * 10 + (rest ? ones.indexOf(rest) + 1 : 0);
}

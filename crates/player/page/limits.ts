/**
 * 限时限量: how long a pupil has looked, and when to look away. Pure: callers pass the time. The limits are those of the
 * province's own documents, as the plan publishes them; guidance and not a lock; all of it is kept on this device.
 */

/** One limit and what says so. */
export interface Limit {
  value: number;
  /** Title, authority and date of the document; empty where the timetable itself says it. */
  source: string;
}

/** What holds for some grades of a place. */
export interface Row {
  place: string;
  grades: number[];
  dayMinutes?: Limit;
  sittingMinutes?: Limit;
  breakMinutes?: Limit;
  lessonsADay?: Limit;
}

export interface Table {
  rows: Row[];
  /** Chinese names of provinces. */
  names: Record<string, string>;
  /** The clip of the eye exercises; empty where there is none. */
  exercise: string;
}

type Field = 'dayMinutes' | 'sittingMinutes' | 'breakMinutes' | 'lessonsADay';

/** Fields as published. */
const FIELDS: readonly (readonly [Field, string])[] = [
  ['dayMinutes', 'day_minutes'],
  ['sittingMinutes', 'sitting_minutes'],
  ['breakMinutes', 'break_minutes'],
  ['lessonsADay', 'lessons_a_day'],
];

/** Rows read; a nation with rules of every city has some thousand. */
const MAX_ROWS = 5_000;

/** A break where no document sets one, in minutes. */
const USUAL_BREAK_MINUTES = 20;

/** 小学低年级. */
const LOWER_PRIMARY = 3;

const LESSON_ID = /^[a-z0-9._-]{1,64}$/;

/** The published table; undefined where it is nothing of the kind. */
export function parseTable(json: unknown): Table | undefined {
  const { policies, documents, names, exercise } = (json ?? {}) as Record<string, unknown>;
  if (!Array.isArray(policies)) return undefined;
  const sources = new Map<string, string>();
  for (const entry of Array.isArray(documents) ? documents : []) {
    const { id, title, authority, issued } = (entry ?? {}) as Record<string, unknown>;
    sources.set(String(id), [authority, title, issued].filter((part) => typeof part === 'string' && part).join('，'));
  }
  const rows = policies.slice(0, MAX_ROWS).flatMap((entry: unknown): Row[] => {
    const said = (entry ?? {}) as Record<string, unknown>;
    if (typeof said.place !== 'string' || !Array.isArray(said.grades)) return [];
    const row: Row = { place: said.place, grades: said.grades.filter((grade): grade is number => typeof grade === 'number') };
    for (const [field, key] of FIELDS) {
      const { value, document } = (said[key] ?? {}) as Record<string, unknown>;
      if (typeof value === 'number' && value >= 0) row[field] = { value, source: sources.get(String(document)) ?? '' };
    }
    return [row];
  });
  const named = typeof names === 'object' && names !== null ? (names as Record<string, string>) : {};
  return { rows, names: named, exercise: typeof exercise === 'string' && LESSON_ID.test(exercise) ? exercise : '' };
}

/**
 * What holds for a grade of a place, the nearest that says something. Grades are 1 to 12; 0 where it is not known: then the
 * strictest of each, but for "none at all", which is said of one grade and would be said to all.
 */
export function limitsFor(table: Table, place: string, grade: number): Row {
  const parts = place.split('/');
  const upwards = parts.map((_, index) => parts.slice(0, parts.length - index).join('/')).concat('nation');
  for (const name of upwards) {
    const rows = table.rows.filter((row) => row.place === name && (grade === 0 || row.grades.includes(grade)));
    const told = grade === 0 ? rows.map(withoutNone) : rows;
    if (told.length > 0) return told.reduce(stricter);
  }
  return { place: 'nation', grades: [] };
}

function withoutNone(row: Row): Row {
  const { lessonsADay, ...rest } = row;
  return lessonsADay?.value === 0 ? rest : row;
}

function stricter(a: Row, b: Row): Row {
  const row: Row = { place: a.place, grades: [...a.grades, ...b.grades] };
  for (const [field] of FIELDS) {
    const [one, other] = [a[field], b[field]];
    const more = field === 'breakMinutes';
    const limit = one && other ? ((more ? one.value >= other.value : one.value <= other.value) ? one : other) : (one ?? other);
    if (limit) row[field] = limit;
  }
  return row;
}

/** Nobody asks the youngest to study: nothing on the page reminds them of what they have begun. */
export function isNeverReminded(grade: number): boolean {
  return grade >= 1 && grade <= LOWER_PRIMARY;
}

/** What was watched today, over all subjects. */
export interface Viewed {
  /** The day of the timetable, as 2020-02-17. */
  day: string;
  seconds: number;
  /** Of this sitting. */
  sittingSeconds: number;
  /** When something was last watched, in milliseconds since 1970. */
  last: number;
  lessons: string[];
  /** What the pupil has been told today and gone on from. */
  passed: ('day' | 'lessons')[];
}

/** Lessons counted in one day; nobody watches more. */
const MAX_LESSONS = 100;

export const NOTHING_VIEWED: Viewed = { day: '', seconds: 0, sittingSeconds: 0, last: 0, lessons: [], passed: [] };

/** What a device has kept; nothing where that is not of this form. */
export function parseViewed(json: unknown): Viewed {
  const { day, seconds, sittingSeconds, last, lessons, passed } = (json ?? {}) as Record<string, unknown>;
  const whole = [seconds, sittingSeconds, last].every((value) => typeof value === 'number' && value >= 0);
  if (typeof day !== 'string' || !whole || !Array.isArray(lessons) || !Array.isArray(passed)) return NOTHING_VIEWED;
  return json as Viewed;
}

/** What was viewed by `now`, before anything more is. A new day begins at nothing; a break as long as it should be ends a sitting. */
export function at(viewed: Viewed, row: Row, now: number, day: string): Viewed {
  const today = viewed.day === day ? viewed : { ...NOTHING_VIEWED, day, sittingSeconds: viewed.sittingSeconds, last: viewed.last };
  // A clock that was set back ends no sitting and makes no break longer.
  const rested = now - today.last >= (row.breakMinutes?.value ?? USUAL_BREAK_MINUTES) * 60_000;
  return rested ? { ...today, sittingSeconds: 0 } : today;
}

/** And `seconds` more of a lesson. */
export function watch(viewed: Viewed, lesson: string, seconds: number, now: number): Viewed {
  const lessons = viewed.lessons.includes(lesson) ? viewed.lessons : [...viewed.lessons, lesson].slice(0, MAX_LESSONS);
  return { ...viewed, seconds: viewed.seconds + seconds, sittingSeconds: viewed.sittingSeconds + seconds, last: now, lessons };
}

export type Pause = 'sitting' | 'day' | 'lessons';

/** Why to stop now; undefined while there is no reason. */
export function pause(viewed: Viewed, row: Row): Pause | undefined {
  const { dayMinutes, lessonsADay, sittingMinutes } = row;
  if (dayMinutes && viewed.seconds >= dayMinutes.value * 60 && !viewed.passed.includes('day')) return 'day';
  if (lessonsADay && viewed.lessons.length > lessonsADay.value && !viewed.passed.includes('lessons')) return 'lessons';
  if (sittingMinutes && viewed.sittingSeconds >= sittingMinutes.value * 60) return 'sitting';
  return undefined;
}

/** The pupil goes on: what was said about the day is not said again, and a sitting begins anew. */
export function goOn(viewed: Viewed, from: Pause): Viewed {
  if (from === 'sitting') return { ...viewed, sittingSeconds: 0 };
  return { ...viewed, sittingSeconds: 0, passed: [...viewed.passed, from] };
}

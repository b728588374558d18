/** Today's timetable, as the day plan's guide publishes it: which lesson opens when, and for whom. Pure. */

export interface Opening {
  lesson: string;
  /** Milliseconds since 1970. */
  release: number;
  grades: number[];
  title: string;
  subject: string;
}

/** Lessons of one day that are read; a nation has some sixty. */
const MAX_OPENINGS = 2_000;

/** Longest text that is shown. */
const MAX_CHARS = 200;

const LESSON_ID = /^[a-z0-9._-]{1,64}$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** A moment whose UTC is the clock of China: one timetable for the nation, wherever a pupil's clock stands. */
export function inChina(moment: number): Date {
  return new Date(moment + 8 * 3_600_000);
}

/** The day there. */
export function dayInChina(now: number): string {
  return inChina(now).toISOString().slice(0, 10);
}

/** The address of a day's guide; undefined where the list of days does not have it. */
export function guideOf(days: unknown, day: string): string | undefined {
  const listed = (days as { days?: unknown } | null)?.days;
  return DAY.test(day) && Array.isArray(listed) && listed.includes(day) ? `/timetable/${day}.json` : undefined;
}

/** What opens, in order; undefined where it is no guide. */
export function parseGuide(json: unknown): Opening[] | undefined {
  const lessons = (json as { lessons?: unknown } | null)?.lessons;
  if (!Array.isArray(lessons)) return undefined;
  const openings = lessons.slice(0, MAX_OPENINGS).flatMap((entry: unknown): Opening[] => {
    const { lesson, release, grades, title, subject } = (entry ?? {}) as Record<string, unknown>;
    const at = typeof release === 'string' ? Date.parse(release) : NaN;
    if (typeof lesson !== 'string' || !LESSON_ID.test(lesson) || typeof title !== 'string' || Number.isNaN(at)) return [];
    return [
      {
        lesson, release: at, title: title.slice(0, MAX_CHARS),
        grades: Array.isArray(grades) ? grades.filter((grade): grade is number => typeof grade === 'number') : [],
        subject: typeof subject === 'string' ? subject.slice(0, MAX_CHARS) : '',
      },
    ];
  });
  return openings.sort((a, b) => a.release - b.release || (a.lesson < b.lesson ? -1 : 1));
}

/** What is for a grade; everything where the grade is not known (0). */
export function forGrade(openings: readonly Opening[], grade: number): Opening[] {
  return openings.filter(({ grades }) => grade === 0 || grades.length === 0 || grades.includes(grade));
}

/** The time of day there, as 08:30. */
export function timeInChina(moment: number): string {
  return inChina(moment).toISOString().slice(11, 16);
}

/** The catalogue as the page uses it, and the parsing of what the store publishes. */

/** A lesson in the list. Texts are empty where the teacher said nothing. */
export interface Lesson {
  id: string;
  title: string;
  /** `primary`, `junior`, `senior`, `other`; anything else counts as `other`. */
  stage: Stage;
  /** As published, 1 to 12; see `gradeName`. */
  grade: string;
  subject: string;
  edition: string;
  volume: string;
  unit: string;
  /** The section as described, in whatever edition; see `sections.ts`. */
  section: string;
  /** The lesson that is shown in this one's place, where they have one place in the syllabus; it is listed below that. */
  beside: string;
  teacher: string;
  /** Who provides it, and under which terms it may be used. */
  provider: string;
  licence: string;
  /** Zero where unknown. */
  durationMs: number;
}

export type Stage = 'primary' | 'junior' | 'senior' | 'other';

export const STAGES: readonly Stage[] = ['primary', 'junior', 'senior', 'other'];

/** A part of the catalogue, fetched by its own address that never changes its bytes. */
export interface Shard {
  path: string;
  stage: Stage;
  grade: string;
  lessons: number;
  /** The address of what is searched in it; empty where the catalogue is older. */
  search: string;
}

/** Parts read from one catalogue; a nation's curriculum has some 150. */
export const MAX_SHARDS = 2_000;

/** Lessons read from one part. */
export const MAX_LESSONS_A_SHARD = 20_000;

/** Longest text of a field that is shown. */
const MAX_TEXT_CHARS = 200;

const SHARD_PATH = /^catalogue\/[A-Za-z0-9._-]{1,120}\.json$/;
const LESSON_ID = /^[a-z0-9._-]{1,64}$/;

/** The parts that `catalogue/version.json` lists; undefined where it is no catalogue at all. */
export function parseVersion(json: unknown): Shard[] | undefined {
  const shards = field(json, 'shards');
  if (!Array.isArray(shards)) return undefined;
  return shards.slice(0, MAX_SHARDS).flatMap((entry) => {
    const path = text(field(entry, 'path'));
    if (!SHARD_PATH.test(path)) return [];
    return [
      {
        path, stage: stage(field(entry, 'stage')), grade: text(field(entry, 'grade')), lessons: whole(field(entry, 'lessons')),
        search: catalogueFile(field(entry, 'search')),
      },
    ];
  });
}

/** The address of the sections; empty where the catalogue is older. */
export function sectionsPath(json: unknown): string {
  return catalogueFile(field(json, 'sections'));
}

function catalogueFile(value: unknown): string {
  const path = text(value);
  return SHARD_PATH.test(path) ? path : '';
}

/** The lessons of a part, which is an array of them. Entries without name or title are left out. */
export function parseShard(json: unknown): Lesson[] | undefined {
  if (!Array.isArray(json)) return undefined;
  return json.slice(0, MAX_LESSONS_A_SHARD).flatMap((entry) => parseLesson(entry) ?? []);
}

/** One lesson, from the catalogue or its own `lesson.json`: both say the same. */
export function parseLesson(json: unknown): Lesson | undefined {
  const id = text(field(json, 'lesson'));
  const title = text(field(json, 'title'));
  if (!LESSON_ID.test(id) || !title) return undefined;
  return {
    id,
    title,
    stage: stage(field(json, 'stage')),
    grade: text(field(json, 'grade')),
    subject: text(field(json, 'subject')),
    edition: text(field(json, 'edition')),
    volume: text(field(json, 'volume')),
    unit: text(field(json, 'unit')),
    section: text(field(json, 'section')),
    beside: LESSON_ID.test(text(field(json, 'beside'))) ? text(field(json, 'beside')) : '',
    teacher: text(field(json, 'teacher')),
    provider: text(field(json, 'provider')),
    licence: text(field(json, 'licence')),
    durationMs: whole(field(json, 'duration_ms')),
  };
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function text(value: unknown): string {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  return typeof value === 'string' ? value.trim().slice(0, MAX_TEXT_CHARS) : '';
}

function whole(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.floor(value) : 0;
}

function stage(value: unknown): Stage {
  return STAGES.find((known) => known === value) ?? 'other';
}

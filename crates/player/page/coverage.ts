/**
 * 班级学情 on this device: which minutes of a lesson were seen and gone back to, for a class whose code somebody typed here. Pure.
 *
 * What is said of it is a *word*, as `crates/coverage` reads it: class, lesson, and minutes by number, each once. No name, no
 * device, no time. What was said is kept here for some days, so that nothing is said twice, and nowhere else.
 */

/** As in `crates/coverage`: no 0, 1, I, L, O; a prime number of them, so that the last one finds every slip. */
const ALPHABET = '23456789ABCDEFGHJKMNPQRSTUVWXYZ';
const CODE_LENGTH = 10;

/** A minute is noted in slots of so many seconds, one bit each. */
const SLOT_S = 5;
const SLOTS = 60 / SLOT_S;

/** Slots that somebody must have played to have begun a lesson, or a second time to have gone back to a minute. */
const ENOUGH_SLOTS = 3;

/** More than this between two looks is a jump and not playing, in seconds of the lesson. */
const LONGEST_STEP_S = 15;

/** As in `crates/coverage`. */
const MAX_MINUTES = 240;

/** Lessons kept here; the one longest untouched is forgotten first. */
const MAX_LESSONS = 60;

/** How long what was said is kept, in milliseconds: a word about a lesson of an older day is not counted anyway. */
const KEEP_MS = 3 * 24 * 3_600_000;

export type CodeTrouble = 'length' | 'character' | 'check';

/** A class code as it is written, `23456-789A2`, from what somebody typed; or what is wrong with it. */
export function parseCode(typed: string): { code: string } | { trouble: CodeTrouble } {
  const letters = typed.replace(/[-\s]/g, '').toUpperCase();
  const values = letters.split('').map((letter) => ALPHABET.indexOf(letter));
  if (values.some((value) => value < 0)) return { trouble: 'character' };
  if (values.length !== CODE_LENGTH) return { trouble: 'length' };
  const sum = values.slice(0, -1).reduce((total, value, place) => total + (place + 1) * value, 0);
  if (sum % ALPHABET.length !== values[CODE_LENGTH - 1]) return { trouble: 'check' };
  return { code: `${letters.slice(0, CODE_LENGTH / 2)}-${letters.slice(CODE_LENGTH / 2)}` };
}

/** What is said of one lesson, beside its name and the class. */
export interface Word {
  began: boolean;
  seen: number[];
  again: number[];
}

/** What was noted of one lesson, and what of it was said. */
export interface Noted {
  /** For each minute, the slots that have played, and those that have played a second time. */
  played: number[];
  again: number[];
  said: Word;
  /** When this last changed, in milliseconds since 1970. */
  at: number;
}

/** A class, and its lessons by name. */
export interface ClassNotes {
  code: string;
  lessons: Record<string, Noted>;
}

export function nothingNoted(): Noted {
  return { played: [], again: [], said: { began: false, seen: [], again: [] }, at: 0 };
}

/** What a device has kept; undefined where there is no class, or what is there is nothing of the kind. */
export function parseNotes(json: unknown): ClassNotes | undefined {
  const { code, lessons } = (json ?? {}) as Record<string, unknown>;
  const parsed = typeof code === 'string' ? parseCode(code) : undefined;
  if (!parsed || 'trouble' in parsed) return undefined;
  const notes: ClassNotes = { code: parsed.code, lessons: {} };
  for (const [id, noted] of Object.entries((lessons ?? {}) as Record<string, Noted>)) if (isNoted(noted)) notes.lessons[id] = noted;
  return notes;
}

function isNoted(value: unknown): value is Noted {
  const { played, again, said, at } = (value ?? {}) as Record<string, unknown>;
  const numbers = (list: unknown): boolean => Array.isArray(list) && list.length <= MAX_MINUTES && list.every((entry) => typeof entry === 'number' || entry === null);
  const { began, seen, again: back } = (said ?? {}) as Record<string, unknown>;
  return numbers(played) && numbers(again) && typeof began === 'boolean' && numbers(seen) && numbers(back) && typeof at === 'number';
}

/** With one lesson's notes in place of earlier ones, and without what is too old or too many. */
export function withNotes(notes: ClassNotes, lesson: string, noted: Noted): ClassNotes {
  const kept = Object.entries({ ...notes.lessons, [lesson]: noted })
    .filter(([, { at }]) => noted.at - at < KEEP_MS)
    .sort(([, a], [, b]) => b.at - a.at)
    .slice(0, MAX_LESSONS);
  const lessons: Record<string, Noted> = {};
  for (const [id, entry] of kept) lessons[id] = entry;
  return { ...notes, lessons };
}

/** The slot of a place in a lesson. */
export function slotAt(position: number): number {
  return Math.floor(position / SLOT_S);
}

/** Notes that playing has gone from one place to another, in seconds; `from` is undefined behind a jump. Whether anything is new. */
export function play(noted: Noted, from: number | undefined, to: number): boolean {
  const goesOn = from !== undefined && to >= from && to - from <= LONGEST_STEP_S;
  const first = goesOn ? slotAt(from) + 1 : slotAt(to);
  let changed = false;
  for (let slot = first; slot <= slotAt(to); slot += 1) {
    const minute = Math.floor(slot / SLOTS);
    if (minute >= MAX_MINUTES) break;
    const bit = 1 << slot % SLOTS;
    const list = (noted.played[minute] ?? 0) & bit ? noted.again : noted.played;
    while (list.length < minute) list.push(0);
    list[minute] = (list[minute] ?? 0) | bit;
    changed = true;
  }
  return changed;
}

/** The slots that a minute of a lesson of this length has. */
function slotsOf(minute: number, duration: number): number {
  // The last slot may be shorter than it takes to look.
  const slots = Math.ceil((duration - 1) / SLOT_S) - minute * SLOTS;
  return (1 << Math.max(0, Math.min(SLOTS, slots))) - 1;
}

function count(bits: number): number {
  let rest = bits;
  let found = 0;
  for (; rest; rest &= rest - 1) found += 1;
  return found;
}

/** What there is to say of a lesson that was not said yet; undefined where there is nothing. */
export function wordOf({ played, again, said }: Noted, duration: number): Word | undefined {
  const sum = played.reduce((total, bits) => total + count(bits), 0);
  const minutes = played.map((_, minute) => minute);
  const all = (minute: number): number => slotsOf(minute, duration);
  const word = {
    began: !said.began && sum >= ENOUGH_SLOTS,
    seen: minutes.filter((minute) => all(minute) && (played[minute]! & all(minute)) === all(minute) && !said.seen.includes(minute)),
    again: minutes.filter((minute) => all(minute) && count(again[minute] ?? 0) >= Math.min(ENOUGH_SLOTS, count(all(minute))) && !said.again.includes(minute)),
  };
  // Minutes count for those who have begun.
  if (!word.began && !said.began) return undefined;
  return word.began || word.seen.length > 0 || word.again.length > 0 ? word : undefined;
}

/** And now it is said: lost or not, it is not said again. */
export function say(noted: Noted, word: Word): void {
  const together = (a: number[], b: number[]): number[] => [...a, ...b].sort((one, other) => one - other);
  noted.said = { began: noted.said.began || word.began, seen: together(noted.said.seen, word.seen), again: together(noted.said.again, word.again) };
}

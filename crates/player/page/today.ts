/** Today's timetable, on the home page and beside what is kept; nothing where there is none. Without a network the one that was read last. */

import { airingsIn } from './airings';
import type { Context } from './context';
import { h, replaceUnderHand, setText } from './dom';
import { readChoice } from './choice';
import { gradeName } from './grouping';
import { isNeverReminded } from './limits';
import { readJson } from './network';
import { keepGuide, keptGuide } from './offline/guides';
import { lessonRoute } from './route';
import { timeNow } from './time';
import { dayInChina, forGrade, guideOf, parseGuide, timeInChina, type Opening } from './timetable';
import { gradeLabel, subjectLabel } from './words';
import { homeWordsIn } from './words-home';

/** What was read so long ago is read again: lessons are moved, and taken out, on the morning itself. */
export const OLD_AFTER_MS = 5 * 60_000;

export class Today {
  /** What is pressed stays the same element, so that the keyboard stays on it. */
  private readonly summary = h('summary');
  private readonly body = h('div');
  readonly root = h('details', { class: 'today', hidden: true }, this.summary, this.body);
  private openings: Opening[] = [];
  private day = '';
  private readAt = 0;
  /** When it was read, where there is no network; and what it says of television. */
  private keptAt = 0;
  private guide: unknown;
  /** All of the day is here. */
  private whole = false;
  private reading = false;

  constructor(private readonly context: Context) {
    this.root.addEventListener('toggle', () => this.draw());
    void this.read();
  }

  /** Reads it again where another day has begun, it is old, or not the network's: phones keep a page open for weeks. */
  look(): void {
    const now = timeNow();
    const fresh = this.whole && this.day === dayInChina(now) && now - this.readAt < OLD_AFTER_MS;
    if (!this.reading && !fresh) void this.read();
  }

  /** The list stands without it. */
  private async read(): Promise<void> {
    this.reading = true;
    const { store } = this.context;
    const days = await readJson('/timetable/days.json', 'no-store');
    // Which day it is the answer has told.
    const now = timeNow();
    const day = dayInChina(now);
    const path = days.ok ? guideOf(days.json, day) : undefined;
    const answer = path === undefined ? undefined : await readJson(path);
    let guide = answer?.ok ? answer.json : undefined;
    const openings = parseGuide(guide);
    this.reading = false;
    this.whole = days.ok && (!answer || openings !== undefined);
    this.readAt = now;
    if (openings) {
      keepGuide(store, day, guide, now);
      this.keptAt = 0;
    } else if (!days.ok || answer) {
      const kept = keptGuide(store, day);
      // Where nothing is kept, what stands here of this day is the last that was read.
      if (!kept && this.day === day) return;
      guide = kept?.guide;
      this.keptAt = kept?.at ?? 0;
    } else this.keptAt = 0;
    this.guide = guide;
    this.openings = openings ?? parseGuide(guide) ?? [];
    this.day = day;
    this.draw();
  }

  private draw(): void {
    const { language } = this.context;
    const words = homeWordsIn(language);
    const { grade } = readChoice(this.context);
    const shown = forGrade(this.openings, grade);
    this.root.hidden = shown.length === 0;
    setText(this.summary, words.today(this.day, grade === 0 ? '' : gradeLabel(gradeName(String(grade)), language)));
    replaceUnderHand(
      this.body,
      this.keptAt > 0 && h('p', { class: 'quiet', 'data-kept-at': this.keptAt }, words.keptTimetable(`${dayInChina(this.keptAt)} ${timeInChina(this.keptAt)}`)),
      isNeverReminded(grade) && h('p', { class: 'quiet' }, words.notRequired),
      h(
        'ul',
        {},
        ...shown.map(({ lesson, release, title, subject }) =>
          h('li', {}, `${timeInChina(release)} `, subject && `${subjectLabel(subject, language)} `, h('a', { href: lessonRoute(lesson) }, title), this.aired(lesson)),
        ),
      ),
    );
  }

  /** Without a network there is still television. */
  private aired(lesson: string): string {
    const airings = this.keptAt > 0 ? airingsIn(this.guide, lesson, timeNow()) : [];
    return airings.map(({ channel, at }) => ` · ${channel} ${timeInChina(at)}`).join('');
  }
}

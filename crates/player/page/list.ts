/** The list of lessons: what was begun, the filters, and the lessons under their headings. */

import { adviceBox } from './advice';
import { Alarm, moment, passed } from './alarm';
import { begunLessons } from './begun';
import { besideCards, lessonCard, skeleton } from './cards';
import { STAGES, type Lesson, type Stage } from './catalogue';
import type { Context } from './context';
import { forgetSeen } from './class-door';
import { h, icon, replace, setAttribute, setText } from './dom';
import { warmEngine } from './engine';
import { byPlace, gradeName, gradesOf, grouped, matching, subjectsOf } from './grouping';
import { Library, type Reading } from './library';
import { savesData } from './preferences';
import { MAX_ATTEMPTS, waitAfterOnline, waitBefore } from './recovery';
import { listRoute, NO_FILTER, type Filter } from './route';
import { sectionName, sectionsOf } from './sections';
import { gradeLabel, stageName, subjectLabel, type Advice } from './words';
import { homeWordsIn, type HomeWords } from './words-home';

/** Lessons drawn at first, and with each press of “show more”: a cheap phone scrolls through no more. */
const PAGE = 60;

/** The list of parts is read again when the list is opened after this long, in milliseconds. */
const FRESH_MS = 60_000;

/** Typing rests this long before the list follows, in milliseconds. */
const TYPING_MS = 120;

export class List {
  readonly root: HTMLElement;
  private readonly library = new Library();
  private filter: Filter = NO_FILTER;
  private reading: Reading | undefined;
  /** Readings in a row that failed, and the next. */
  private failures = 0;
  private readonly next = new Alarm();
  private limit = PAGE;
  private typing = 0;
  /** Where the page was scrolled to when a lesson was opened. */
  private scrolled = 0;
  private readonly home: HomeWords;
  private readonly heading: HTMLElement;
  private readonly search: HTMLInputElement;
  private readonly chips = h('div', { class: 'chips' });
  private readonly begun = h('div');
  private readonly count = h('p', { class: 'count quiet', role: 'status' });
  private readonly body = h('div', { class: 'lessons' });

  /** `beside` is what the home page shows between what was begun and the list: today's timetable, healthy limits. */
  constructor(private readonly context: Context, beside: readonly HTMLElement[]) {
    const { words } = context;
    this.home = homeWordsIn(context.language);
    this.heading = h('h1', { tabindex: -1 }, words.tagline);
    this.search = h('input', {
      type: 'search', placeholder: words.searchHint, 'aria-label': words.searchLabel, autocomplete: 'off', maxlength: 80, enterkeyhint: 'search',
      oninput: () => {
        window.clearTimeout(this.typing);
        this.typing = window.setTimeout(() => this.narrow({ query: this.search.value }), TYPING_MS);
      },
    });
    this.root = h(
      'div',
      { class: 'list' },
      h(
        'div',
        { class: 'welcome' },
        this.heading,
        h('form', { class: 'search', role: 'search', onsubmit: (event: Event) => event.preventDefault() }, icon('search'), this.search),
      ),
      this.begun,
      ...beside,
      this.chips,
      this.count,
      this.body,
    );
    window.addEventListener('online', () => this.failures > 0 && this.next.set(waitAfterOnline(Math.random()), () => void this.read()));
  }

  /** Shows the list under a filter. */
  open(filter: Filter): void {
    this.filter = filter;
    this.limit = PAGE;
    this.search.value = filter.query;
    document.title = this.context.words.site;
    this.draw();
    window.scrollTo(0, this.scrolled);
    const { readAt } = this.library;
    if (!readAt || passed(readAt, moment()) > FRESH_MS) void this.read();
    else void this.readParts();
  }

  /** The list gives way to a lesson. */
  leave(): void {
    window.clearTimeout(this.typing);
    this.next.cancel();
    this.scrolled = window.scrollY;
  }

  /** What a lesson is called, as far as the list has been read. */
  titleOf(id: string): string | undefined {
    return this.library.lessons.find((lesson) => lesson.id === id)?.title;
  }

  focus(): void {
    this.heading.focus({ preventScroll: true });
  }

  private async read(): Promise<void> {
    this.next.cancel();
    const reading = await this.library.readVersion();
    // What was read before still stands.
    if (!reading.ok) return this.show(this.library.lessons.length > 0 ? (this.reading ?? { ok: true, complete: false }) : reading);
    if (this.reading?.ok === false) this.reading = undefined;
    if (this.library.isLong && !this.filter.grade && !this.filter.query) this.filter = { ...this.filter, grade: this.grades()[0] ?? '' };
    await this.readParts();
    this.warm();
  }

  private async readParts(): Promise<void> {
    this.show(await this.library.readParts(this.filter, () => this.draw()));
  }

  /** What is not all there is read again by itself, as everything else is. */
  private show(reading: Reading): void {
    const before = this.reading;
    this.reading = reading;
    if (reading.ok && reading.complete) this.failures = 0;
    else if (this.failures < MAX_ATTEMPTS) {
      this.next.set(waitBefore(this.failures, Math.random(), reading.ok ? 0 : reading.retryAfterMs), () => void this.read());
      this.failures += 1;
    }
    // The same words again would be read out again, and take the keyboard's place.
    if (reading.ok || before?.ok !== false || before.trouble !== reading.trouble) this.draw();
  }

  private readonly retry = (): void => {
    this.failures = 0;
    this.reading = undefined;
    this.draw();
    void this.read();
  };

  /** The player's script, while the pupil reads the list; not on a plan that counts every byte. */
  private warm(): void {
    if (savesData()) return;
    const idle = (window as { requestIdleCallback?: (work: () => void) => void }).requestIdleCallback;
    if (idle) idle(() => warmEngine());
    else window.setTimeout(() => warmEngine(), 500);
  }

  private narrow(change: Partial<Filter>): void {
    this.filter = { ...this.filter, ...change };
    this.limit = PAGE;
    // The address follows, so that a filtered list can be kept and passed on, without a step in the history per letter.
    history.replaceState(null, '', listRoute(this.filter));
    this.draw();
    if (this.library.all.length > 0) void this.readParts();
  }

  private grades(): string[] {
    const { stage } = this.filter;
    const ofStage = (entry: { stage: Stage }): boolean => !stage || entry.stage === stage;
    return gradesOf([...this.library.all.filter(ofStage), ...this.library.lessons.filter(ofStage)]);
  }

  private draw(): void {
    const { words } = this.context;
    const lessons = this.library.lessons;
    replace(this.begun, begunLessons(this.context, this.forget));
    this.drawChips(lessons);
    const found = matching(lessons, this.filter, this.library.found(this.filter.query), this.library.sections);
    const pending = this.reading === undefined;
    const failed = this.reading?.ok === false ? this.reading.trouble : undefined;
    setText(this.count, failed || (found.length === 0 && !pending) ? '' : pending && found.length === 0 ? words.loadingList : words.found(found.length));
    setAttribute(this.root, 'aria-busy', pending ? 'true' : 'false');
    if (failed) return replace(this.body, this.advice(words.catalogueTrouble[failed], words.retry, this.retry, failed));
    if (pending && found.length === 0) return replace(this.body, ...skeleton());
    if (lessons.length === 0) return replace(this.body, this.advice(words.empty, words.retry, this.retry, 'empty'));
    if (found.length === 0) return replace(this.body, this.advice(words.nothingFound, words.clearFilter, () => this.clear(), 'nothing'));
    const partial = this.reading?.ok === true && !this.reading.complete;
    replace(this.body, partial && this.partialStrip(), ...this.drawGroups(found), found.length > this.limit && this.moreButton(found.length));
  }

  private clear(): void {
    this.search.value = '';
    this.narrow(NO_FILTER);
    this.search.focus();
  }

  private readonly forget = (): void => {
    const { words, positions, store } = this.context;
    positions.clear();
    forgetSeen(store);
    this.draw();
    setText(this.count, words.positionsCleared);
    this.focus();
  };

  private drawGroups(found: readonly Lesson[]): HTMLElement[] {
    const { context } = this;
    const { language } = context;
    const places = new Map(context.positions.all().map((position) => [position.id, position]));
    const sections: HTMLElement[] = [];
    let left = this.limit;
    for (const group of grouped(found)) {
      if (left <= 0) break;
      const shown = byPlace(group.lessons).slice(0, left);
      left -= shown.length;
      const grade = gradeLabel(group.grade, language) || stageName(group.stage, language);
      sections.push(
        h(
          'section',
          {},
          h('h2', {}, grade, h('span', { class: 'dot', 'aria-hidden': true }), subjectLabel(group.subject, language)),
          h('ul', { class: 'cards' }, ...shown.map(({ lesson, beside }) => h('li', {}, lessonCard(context, lesson, places.get(lesson.id)), beside.length > 0 && besideCards(context, beside, places)))),
        ),
      );
    }
    return sections;
  }

  private drawChips(lessons: readonly Lesson[]): void {
    const { words, language } = this.context;
    const { section, stage, grade, subject } = this.filter;
    const sections = sectionsOf(this.library.sections, lessons);
    const present = new Set([...this.library.all, ...lessons].map((entry) => entry.stage));
    const stages = STAGES.filter((name) => present.has(name));
    const grades = this.grades();
    const subjects = subjectsOf(matching(lessons, { ...NO_FILTER, stage, grade }));
    const focused = (document.activeElement as HTMLElement | null)?.dataset?.chip;
    const everyGrade = !this.library.isLong;
    replace(
      this.chips,
      (sections.length > 1 || section !== '') && this.chipRow(this.home.sectionLabel, 'section', sections.map((entry) => [entry.id, sectionName(entry, language)]), section, true),
      stages.length > 1 && this.chipRow(words.stageLabel, 'stage', stages.map((name) => [name, stageName(name, language)]), stage, true),
      grades.length > 1 && this.chipRow(words.gradeLabel, 'grade', grades.map((name) => [name, gradeLabel(name, language)]), gradeName(grade), everyGrade),
      subjects.length > 1 && this.chipRow(words.subjectLabel, 'subject', subjects.map((name) => [name, subjectLabel(name, language)]), subject, true),
    );
    if (focused !== undefined) this.chips.querySelector<HTMLElement>(`[data-chip="${CSS.escape(focused)}"]`)?.focus();
  }

  private chipRow(label: string, key: 'section' | 'stage' | 'grade' | 'subject', options: readonly (readonly [string, string])[], taken: string, all: boolean): HTMLElement {
    const chip = (value: string, name: string): HTMLElement =>
      h(
        'button',
        { type: 'button', class: 'chip', 'data-chip': `${key}:${value}`, 'aria-pressed': value === taken ? 'true' : 'false', onclick: () => this.take(key, value) },
        name,
      );
    return h(
      'div',
      { class: 'chip-row', role: 'group', 'aria-label': label },
      h('span', { class: 'chip-label', 'aria-hidden': true }, label),
      h('div', { class: 'chip-set' }, all && chip('', this.context.words.allLessons), ...options.map(([value, name]) => chip(value, name))),
    );
  }

  private take(key: 'section' | 'stage' | 'grade' | 'subject', value: string): void {
    const change: Partial<Filter> = { [key]: value };
    if (key === 'stage') {
      // A grade or subject of another stage would leave an empty list behind.
      change.subject = '';
      change.grade = '';
      this.filter = { ...this.filter, ...change };
      if (this.library.isLong) change.grade = this.grades()[0] ?? '';
    } else if (key === 'grade') change.subject = '';
    this.narrow(change);
  }

  private moreButton(count: number): HTMLElement {
    return h(
      'button',
      {
        type: 'button', class: 'button more',
        onclick: () => {
          const shown = this.limit;
          this.limit += PAGE;
          this.draw();
          this.body.querySelectorAll<HTMLElement>('.card')[shown]?.focus();
        },
      },
      this.context.words.showMore(count - this.limit),
    );
  }

  private partialStrip(): HTMLElement {
    const { words } = this.context;
    return h('p', { class: 'strip', role: 'alert' }, h('span', {}, words.partial), h('button', { type: 'button', class: 'button small', onclick: this.retry }, words.retry));
  }

  private advice(advice: Advice, action: string, act: () => void, name: string): HTMLElement {
    const { words, reporting } = this.context;
    const isTrouble = name in words.catalogueTrouble;
    return adviceBox(advice, action, act, name, isTrouble && reporting.button(), isTrouble && reporting.support());
  }
}

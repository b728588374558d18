/** Healthy limits on the page: counts what plays, says when to look away, and lets the pupil choose whose limits count. */

import { GRADES, readChoice, type Choice } from './choice';
import type { Context } from './context';
import { h, replace, setText } from './dom';
import { at, goOn, limitsFor, parseTable, parseViewed, pause, watch, type Limit, type Pause, type Row, type Table } from './limits';
import { readJson } from './network';
import { gradeLabel } from './words';
import { gradeName } from './grouping';
import { lessonRoute } from './route';
import { keyOf } from './store';
import { timeNow } from './time';
import { dayInChina } from './timetable';
import { homeWordsIn, type HomeWords } from './words-home';

/** How often what plays is counted, in milliseconds. */
const TICK_MS = 1_000;

/** More than this between two ticks is a device that slept, in milliseconds. */
const MAX_TICK_MS = 5_000;

/** How often it is kept on the device, in ticks: storage of cheap phones wears. */
const KEEP_EVERY = 10;

/** Under which it is kept. */
const VIEWED = 'viewed';

export class Eyes {
  /** For the home page: whose limits, which, how much of them is used, and where they come from. */
  readonly root: HTMLElement;
  private readonly body = h('div');
  private table: Table | undefined;
  private viewed;
  private ticked = performance.now();
  private ticks = 0;
  private readonly words: HomeWords;
  private dialog: HTMLDialogElement | undefined;

  /** `changed` is called when another place or grade was chosen. */
  constructor(private readonly context: Context, private readonly changed: () => void) {
    this.words = homeWordsIn(context.language);
    this.viewed = parseViewed(context.store.read(VIEWED));
    // What is pressed stays the same element, so that the keyboard stays on it.
    this.root = h('details', { class: 'eyes', hidden: true, ontoggle: () => this.draw() }, h('summary', {}, this.words.eyes), this.body);
    window.setInterval(() => this.tick(), TICK_MS);
    window.addEventListener('pagehide', () => this.keep());
    // What another tab has counted would be written over.
    window.addEventListener('storage', ({ key }) => key === keyOf(VIEWED) && (this.viewed = parseViewed(context.store.read(VIEWED))));
    // It is about a lesson that is left.
    window.addEventListener('hashchange', () => this.dismiss());
    void this.read();
  }

  /** Without the table there is nothing to say. */
  private async read(): Promise<void> {
    const answer = await readJson('/timetable/limits.json');
    this.table = answer.ok ? parseTable(answer.json) : undefined;
    this.draw();
  }

  private row(table: Table): Row {
    const { place, grade } = readChoice(this.context);
    return limitsFor(table, place, grade);
  }

  private tick(): void {
    const now = performance.now();
    const passed = Math.min(now - this.ticked, MAX_TICK_MS);
    this.ticked = now;
    const { playing, lesson } = this.context.state.now;
    const { table } = this;
    if (!table || !playing || !lesson || lesson === table.exercise) return;
    const row = this.row(table);
    const time = timeNow();
    this.viewed = watch(at(this.viewed, row, time, dayInChina(time)), lesson, passed / 1_000, time);
    this.ticks += 1;
    if (this.ticks % KEEP_EVERY === 0) this.keep();
    const reason = pause(this.viewed, row);
    if (reason && !this.dialog) this.rest(reason, row, table);
  }

  private keep(): void {
    this.context.store.write(VIEWED, this.viewed);
  }

  /** Guidance and not a lock: one press goes on. */
  private rest(reason: Pause, row: Row, table: Table): void {
    const { words } = this;
    const video = document.querySelector('video');
    video?.pause();
    if (document.fullscreenElement) void document.exitFullscreen();
    const limit = { sitting: row.sittingMinutes, day: row.dayMinutes, lessons: row.lessonsADay }[reason]!;
    const close = (): void => {
      this.viewed = goOn(this.viewed, reason);
      this.keep();
      this.dismiss();
    };
    const go = h('button', { type: 'button', class: 'button', 'data-control': 'look-on', onclick: () => (close(), void video?.play()) }, words.lookOn);
    const exercise = table.exercise
      ? h('a', { class: 'button primary', href: lessonRoute(table.exercise), onclick: close }, words.exercise)
      : h('p', {}, words.exerciseText);
    const title = h('h2', { id: 'rest-title', tabindex: -1 }, words.rest[reason](limit.value));
    const dialog = h(
      'dialog',
      { class: 'help rest', 'aria-labelledby': 'rest-title', 'data-rest': reason, oncancel: close, onkeydown: (event: Event) => event.stopPropagation() },
      h('div', { class: 'help-body' }, title, h('p', {}, words.lookFar(row.breakMinutes?.value ?? 20)), exercise, h('p', { class: 'quiet' }, this.source(limit)), go),
    );
    this.dialog = dialog;
    document.body.append(dialog);
    // Browsers of before 2022 know the element only as a box to show.
    if (typeof dialog.showModal === 'function') dialog.showModal();
    else dialog.setAttribute('open', '');
    title.focus();
  }

  /** Closed, and not only taken away: the focus returns to where it was. */
  private dismiss(): void {
    this.dialog?.close?.();
    this.dialog?.remove();
    this.dialog = undefined;
  }

  private source({ source }: Limit): string {
    return source ? this.words.source(source) : '';
  }

  private draw(): void {
    const { table, words } = this;
    this.root.hidden = !table;
    if (!table) return;
    const { language } = this.context;
    const { place, grade } = readChoice(this.context);
    const row = limitsFor(table, place, grade);
    const places = [...new Set(table.rows.map((entry) => entry.place))];
    const name = (id: string): string => (id === 'nation' ? words.nation : language === 'en' ? id : [table.names[id.split('/')[0]!] ?? id.split('/')[0], ...id.split('/').slice(1)].join(' '));
    const lines = ([['dayMinutes', words.dayLimit], ['sittingMinutes', words.sittingLimit], ['breakMinutes', words.breakLimit], ['lessonsADay', words.lessonsLimit]] as const).flatMap(([field, say]) => {
      const limit = row[field];
      return limit ? [h('li', {}, say(limit.value), ' ', h('span', { class: 'quiet' }, this.source(limit)))] : [];
    });
    const today = h('p', {});
    const { viewed } = this;
    setText(today, words.viewedToday(viewed.day === dayInChina(timeNow()) ? Math.floor(viewed.seconds / 60) : 0));
    const select = (label: string, key: keyof Choice, taken: string, options: readonly (readonly [string, string])[]): HTMLElement =>
      h(
        'label',
        {},
        `${label} `,
        h(
          'select',
          { 'data-choice': key, onchange: (event: Event) => this.choose(key, (event.target as HTMLSelectElement).value) },
          ...options.map(([value, text]) => h('option', { value, selected: value === taken }, text)),
        ),
      );
    replace(
      this.body,
      h(
        'p',
        {},
        select(words.placeLabel, 'place', place, places.map((id) => [id, name(id)])),
        ' ',
        select(words.gradeOfPupil, 'grade', String(grade), [['0', words.anyGrade], ...GRADES.map((year) => [String(year), gradeLabel(gradeName(String(year)), language)] as const)]),
      ),
      today,
      h('ul', {}, ...lines),
      h('p', { class: 'quiet' }, words.guidance),
    );
  }

  private choose(key: keyof Choice, value: string): void {
    const choice = { ...readChoice(this.context), [key]: key === 'grade' ? Number(value) : value };
    this.context.store.write('eyes', choice);
    this.draw();
    this.changed();
    this.root.querySelector<HTMLElement>(`[data-choice=${key}]`)?.focus();
  }
}

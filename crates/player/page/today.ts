/** Today's timetable on the home page; nothing where there is none. */

import type { Context } from './context';
import { h, replace, setText } from './dom';
import { readChoice } from './choice';
import { gradeName } from './grouping';
import { isNeverReminded } from './limits';
import { readJson } from './network';
import { lessonRoute } from './route';
import { dayInChina, forGrade, guideOf, parseGuide, timeInChina, type Opening } from './timetable';
import { gradeLabel, subjectLabel } from './words';
import { homeWordsIn } from './words-home';

export class Today {
  /** What is pressed stays the same element, so that the keyboard stays on it. */
  private readonly summary = h('summary');
  private readonly body = h('div');
  readonly root = h('details', { class: 'today', hidden: true }, this.summary, this.body);
  private openings: Opening[] = [];
  private day = '';

  constructor(private readonly context: Context) {
    this.root.addEventListener('toggle', () => this.draw());
    void this.read();
  }

  /** The list stands without it. */
  private async read(): Promise<void> {
    const day = dayInChina(Date.now());
    const days = await readJson('/timetable/days.json');
    const guide = days.ok ? guideOf(days.json, day) : undefined;
    const answer = guide === undefined ? undefined : await readJson(guide);
    const openings = answer?.ok ? parseGuide(answer.json) : undefined;
    if (!openings) return;
    this.openings = openings;
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
    replace(
      this.body,
      isNeverReminded(grade) && h('p', { class: 'quiet' }, words.notRequired),
      h(
        'ul',
        {},
        ...shown.map(({ lesson, release, title, subject }) =>
          h('li', {}, `${timeInChina(release)} `, subject && `${subjectLabel(subject, language)} `, h('a', { href: lessonRoute(lesson) }, title)),
        ),
      ),
    );
  }
}

/** A lesson's chapters, where it has some: a list under the picture to choose from, and marks on the bar where they begin. */

import { Alarm } from './alarm';
import type { Controls } from './controls';
import { h, replace, setAttribute } from './dom';
import { entryAt, type Entry } from './entries';
import { clock } from './format';
import { readJson } from './network';
import type { Bundle } from './offline/loader';
import { MAX_ATTEMPTS, waitBefore } from './recovery';
import type { State } from './state';
import type { Words } from './words';
import { chaptersWordsIn } from './words-chapters';

export interface Chapter extends Entry {
  title: string;
}

/** Where the list lies in a package, and in a bundle. */
const PATH = 'chapters.json';

/** As many as a package may have. */
const MAX_CHAPTERS = 500;

/** Longest title that is shown; packages have no longer ones. */
const MAX_CHARS = 200;

/** The list in order of time, as Apple's players read it; what is not of its form is left out. Pure. */
export function parseChapters(json: unknown): Chapter[] {
  if (!Array.isArray(json)) return [];
  const chapters = json.slice(0, MAX_CHAPTERS).flatMap((entry: unknown): Chapter[] => {
    const { 'start-time': at, titles } = (entry ?? {}) as Record<string, unknown>;
    const { title } = ((Array.isArray(titles) && titles[0]) || {}) as Record<string, unknown>;
    return typeof at === 'number' && at >= 0 && typeof title === 'string' && title ? [{ at, title: title.slice(0, MAX_CHARS) }] : [];
  });
  return chapters.sort((a, b) => a.at - b.at);
}

export interface ChaptersOptions {
  /** Where the list stands. */
  place: HTMLElement;
  controls: Controls;
  words: Words;
  state: State;
  seekTo(seconds: number): void;
  /** The package's folder; undefined where it is a bundle. */
  folder: string | undefined;
  bundle: Bundle | undefined;
}

export class Chapters {
  /** In order of time; empty until they have come. */
  all: readonly Chapter[] = [];
  private readonly marks = h('div', { class: 'marks', 'aria-hidden': true });
  private items: HTMLElement[] = [];
  /** Which counts, and for how long a lesson the marks are drawn. */
  private shown = -1;
  private drawnFor = 0;
  private failures = 0;
  private readonly next = new Alarm();
  private gone = false;
  private readonly stopListening: () => void;

  constructor(private readonly options: ChaptersOptions) {
    options.controls.line.append(this.marks);
    this.stopListening = options.state.listen(() => this.draw());
    void this.read();
  }

  destroy(): void {
    this.gone = true;
    this.next.cancel();
    this.stopListening();
    this.marks.remove();
    replace(this.options.place);
  }

  private async read(): Promise<void> {
    const { bundle, folder } = this.options;
    const answer = bundle ? await ofBundle(bundle) : await readJson(folder + PATH);
    if (this.gone) return;
    if (answer.ok) this.offer(parseChapters(answer.json));
    else if (answer.trouble !== 'missing' && this.failures < MAX_ATTEMPTS) {
      this.next.set(waitBefore(this.failures, Math.random()), () => void this.read());
      this.failures += 1;
    }
  }

  private offer(chapters: Chapter[]): void {
    if (chapters.length === 0) return;
    const { place, seekTo } = this.options;
    const words = chaptersWordsIn(this.options.words.tag);
    this.all = chapters;
    this.items = chapters.map(({ at, title }) =>
      h('button', { type: 'button', class: 'chapter', onclick: () => seekTo(at) }, h('span', { class: 'quiet' }, clock(at)), ' ', title),
    );
    replace(place, h('section', { class: 'chapters', 'aria-label': words.chapters }, h('h2', {}, words.chapters), h('ol', {}, ...this.items.map((item) => h('li', {}, item)))));
    this.draw();
  }

  private draw(): void {
    const { position, duration } = this.options.state.now;
    const now = entryAt(this.all, position);
    if (now !== this.shown) {
      this.items.forEach((item, index) => setAttribute(item, 'aria-current', index === now));
      this.shown = now;
    }
    if (this.all.length === 0 || duration === this.drawnFor) return;
    this.drawnFor = duration;
    const within = this.all.filter(({ at }) => at > 0 && at < duration);
    replace(this.marks, ...within.map(({ at }) => markAt(at / duration)));
  }
}

/** Where the slider's thumb stands then: its middle never reaches the ends of the line. */
function markAt(share: number): HTMLElement {
  const mark = h('span');
  mark.style.setProperty('--share', String(share));
  return mark;
}

async function ofBundle({ file, members }: Bundle): Promise<{ ok: true; json: unknown } | { ok: false; trouble: 'missing' }> {
  const member = members.get(PATH);
  try {
    const bytes = member && (await file.read(member.at, member.at + member.bytes));
    return { ok: true, json: bytes && JSON.parse(new TextDecoder().decode(bytes)) };
  } catch {
    return { ok: false, trouble: 'missing' };
  }
}

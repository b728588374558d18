/** A lesson's slides: which picture is shown when, and showing it over the place of the video. */

import { h, setText } from './dom';
import { entryAt, type Entry } from './entries';
import { readJson } from './network';
import { waitBefore } from './recovery';

/** Shown from its second on. */
export interface Slide extends Entry {
  /** Its file beside the list. */
  image: string;
}

/** As the package names them. */
const IMAGE = /^\d{9}\.jpg$/;

/** More slides than a lesson of a day with one every few seconds has are none of ours. */
const MAX_SLIDES = 20_000;

/** The list `slides/slides.json`, in order of time; what is not of its form is left out. */
export function parseSlides(json: unknown): Slide[] {
  if (!Array.isArray(json)) return [];
  const slides: Slide[] = [];
  for (const entry of json.slice(0, MAX_SLIDES)) {
    const { at_ms: at, image } = (entry ?? {}) as Record<string, unknown>;
    if (typeof at === 'number' && at >= 0 && typeof image === 'string' && IMAGE.test(image)) slides.push({ at: at / 1000, image });
  }
  return slides.sort((a, b) => a.at - b.at);
}

/** Covers the video where no moving pictures are fetched. */
export class Slides {
  readonly root: HTMLElement;
  private readonly image = h('img', { class: 'slide-image', alt: '', hidden: true });
  private readonly label: HTMLElement;
  private slides: readonly Slide[] = [];
  private folder = '';
  private shown = '';
  private failures = 0;
  private timer = 0;

  constructor(private readonly time: () => number, private readonly words: { soundOnly: string; noSlides: string }) {
    this.label = h('p', { class: 'slide-label' });
    this.root = h('div', { class: 'slide', hidden: true }, this.image, this.label);
    this.image.addEventListener('load', () => {
      this.failures = 0;
      this.image.hidden = false;
      setText(this.label, '');
      this.prefetch();
    });
    this.image.addEventListener('error', () => {
      // It counts as shown until then: time goes on several times a second, and each would ask for it again.
      const failed = this.shown;
      this.again(() => {
        if (this.shown === failed) this.shown = '';
        this.draw();
      });
    });
  }

  /** Shows the slides of the package in `folder`. */
  open(folder: string): void {
    this.root.hidden = false;
    if (this.folder === folder) return this.draw();
    this.close();
    this.root.hidden = false;
    this.folder = folder;
    setText(this.label, this.words.soundOnly);
    void this.read();
  }

  /** Says that there is sound alone. */
  soundOnly(): void {
    this.close();
    this.root.hidden = false;
    setText(this.label, this.words.soundOnly);
  }

  close(): void {
    window.clearTimeout(this.timer);
    this.failures = 0;
    this.folder = '';
    this.shown = '';
    this.slides = [];
    this.root.hidden = true;
    this.image.hidden = true;
    this.image.removeAttribute('src');
  }

  /** Time went on. */
  draw(): void {
    const slide = this.slides[entryAt(this.slides, this.time())] ?? this.slides[0];
    if (!slide || slide.image === this.shown) return;
    this.shown = slide.image;
    this.image.src = `${this.folder}slides/${slide.image}`;
  }

  private async read(): Promise<void> {
    const { folder } = this;
    const answer = await readJson(`${folder}slides/slides.json`);
    if (this.folder !== folder) return;
    if (answer.ok) this.slides = parseSlides(answer.json);
    else if (answer.trouble !== 'missing') return this.again(() => void this.read());
    if (this.slides.length === 0) setText(this.label, this.words.noSlides);
    this.failures = 0;
    this.draw();
  }

  /** The next one is there when it is due. */
  private prefetch(): void {
    const next = this.slides[entryAt(this.slides, this.time()) + 1];
    if (next) new Image().src = `${this.folder}slides/${next.image}`;
  }

  private again(task: () => void): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(task, waitBefore(this.failures, Math.random()));
    this.failures += 1;
  }
}

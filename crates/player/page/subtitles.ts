/**
 * A lesson's subtitles, for those who take them. They stand between picture and bar, not on the picture: the last line of a slide is never
 * covered.
 */

import { Alarm } from './alarm';
import type { Controls } from './controls';
import { h, replace, setAttribute } from './dom';
import type { Subtitle } from './engine';
import { Menu } from './menu';
import type { Bundle } from './offline/loader';
import { MAX_ATTEMPTS, waitBefore } from './recovery';
import type { Store } from './store';
import type { Words } from './words';
import { subtitlesWordsIn } from './words-subtitles';

export interface SubtitlesOptions {
  video: HTMLVideoElement;
  controls: Controls;
  words: Words;
  store: Store;
  /** Of the lesson, in the order of its playlist. */
  offered: readonly Subtitle[];
  /** The package's folder, as soon as it is known. */
  folder(): string | undefined;
  bundle: Bundle | undefined;
}

/** Under which the language is kept that was taken last; nothing where they are off. */
const KEY = 'subtitles';

const OFF = '';

export class Subtitles {
  private readonly lines = h('div', { class: 'subtitles', hidden: true });
  private readonly menu: Menu<string>;
  private language = OFF;
  private track: HTMLTrackElement | undefined;
  /** How often they did not come, and when they are asked for again. */
  private failures = 0;
  private readonly next = new Alarm();
  /** The address of what came out of a bundle. */
  private blob = '';

  constructor(private readonly options: SubtitlesOptions) {
    const { controls, store, offered } = options;
    const words = subtitlesWordsIn(options.words.tag);
    this.menu = new Menu<string>(words.subtitles, 'subtitles', (language) => {
      store.write(KEY, language);
      this.take(language);
    });
    this.menu.offer([{ value: OFF, name: words.off }, ...offered.map(({ name, lang = OFF }) => ({ value: lang, name }))]);
    controls.root.before(this.lines);
    controls.menus[0]?.root.before(this.menu.root);
    controls.menus.push(this.menu);
    // The bar has one button more to find room for.
    controls.root.classList.add('crowded');
    const last = store.read(KEY);
    this.take(offered.find(({ lang }) => lang === last)?.lang ?? OFF);
  }

  destroy(): void {
    const { menus, root } = this.options.controls;
    this.take(OFF);
    this.lines.remove();
    this.menu.destroy();
    this.menu.root.remove();
    menus.splice(menus.indexOf(this.menu), 1);
    root.classList.remove('crowded');
  }

  private take(language: string): void {
    this.language = language;
    this.failures = 0;
    this.lines.hidden = language === OFF;
    this.lines.lang = language;
    this.lines.parentElement?.classList.toggle('subtitled', language !== OFF);
    const words = subtitlesWordsIn(this.options.words.tag);
    const name = this.options.offered.find(({ lang }) => lang === language)?.name ?? words.off;
    this.menu.show(words.face, language);
    // Whether they are on the eye sees by the lines.
    setAttribute(this.menu.root.firstElementChild!, 'aria-label', `${words.subtitles}: ${name}`);
    this.read();
  }

  /** The browser itself reads them, and tells when which are due. */
  private read(): void {
    const { video } = this.options;
    const { language } = this;
    this.next.cancel();
    this.track?.remove();
    this.track = undefined;
    URL.revokeObjectURL(this.blob);
    replace(this.lines);
    if (language === OFF) return;
    void this.address().then((src) => {
      if (this.language !== language || this.track || !src) return;
      const element = h('track', { kind: 'metadata', src, onerror: () => this.readAgain() });
      this.track = element;
      video.append(element);
      element.track.mode = 'hidden';
      element.track.oncuechange = () => {
        const due = Array.from(element.track.activeCues ?? []) as VTTCue[];
        replace(this.lines, ...due.map((cue) => h('p', {}, cue.getCueAsHTML())));
      };
    });
  }

  private readAgain(): void {
    if (this.failures >= MAX_ATTEMPTS) return;
    this.next.set(waitBefore(this.failures, Math.random()), () => this.read());
    this.failures += 1;
  }

  /** Where they lie; undefined where a bundle has none. */
  private async address(): Promise<string | undefined> {
    const { bundle } = this.options;
    const folder = this.options.folder();
    const path = `subs/${this.language}/all.vtt`;
    if (!bundle) return folder && folder + path;
    const member = bundle.members.get(path);
    const bytes = member && (await bundle.file.read(member.at, member.at + member.bytes).catch(() => undefined));
    return bytes && (this.blob = URL.createObjectURL(new Blob([bytes], { type: 'text/vtt' })));
  }
}

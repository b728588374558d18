/** The line under a lesson that keeps it on the device: now, at night, as a file. */

import { Alarm } from './alarm';
import type { Context } from './context';
import { h, replaceUnderHand, setAttribute, setText } from './dom';
import { bytes } from './format';
import { due, fetchBundle, nextTry, tonight, type Ended } from './offline/fetching';
import { takeGuides } from './offline/guides';
import { Shelf, type Kept } from './offline/shelf';
import { keepPage } from './offline/shell';
import { waitAfterOnline } from './recovery';
import { timeNow } from './time';
import { keptWordsIn, type KeptWords } from './words-kept';

/** The longest that a timer of the browser waits, in milliseconds: it counts in 31 bits. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export class Keep {
  private readonly said = h('p', { class: 'keep-said', role: 'status' });
  private readonly actions = h('div', { class: 'keep-actions' });
  readonly root = h('div', { class: 'keep', hidden: true }, this.said, this.actions);
  private opening: Promise<Shelf | undefined> | undefined;
  private shelf: Shelf | undefined;
  private kept: Kept | undefined;
  private folder = '';
  private stop: AbortController | undefined;
  private readonly next = new Alarm();
  private gone = false;
  private readonly words: KeptWords;
  /** Why fetching has ended before the lesson was whole, where it goes on by a press, or when the line is back. */
  private broken: 'full' | 'unreachable' | undefined;

  constructor(private readonly context: Context, private readonly id: string, private readonly title: () => string) {
    this.words = keptWordsIn(context.language);
    window.addEventListener('online', this.online);
  }

  /** The lesson's package is known: it may be kept. */
  async offer(folder: string): Promise<void> {
    if (this.gone || this.folder === folder) return;
    this.folder = folder;
    this.shelf = await (this.opening ??= Shelf.open());
    // Without storage there is the file.
    this.kept = await this.shelf?.find(this.id).catch(() => undefined);
    if (this.gone) return;
    // What was kept is another edition by now: it plays on, and is fetched anew only on request.
    if (this.kept && !this.kept.done) this.begin(this.kept);
    else this.draw();
  }

  close(): void {
    this.gone = true;
    window.removeEventListener('online', this.online);
    this.next.cancel();
    this.stop?.abort();
    // It may be opening yet.
    void this.opening?.then((shelf) => shelf?.close());
  }

  private draw(note = ''): void {
    const { words } = this;
    const { kept } = this;
    const button = (name: string, text: string, act: () => void): HTMLElement =>
      h('button', { type: 'button', class: 'button small', 'data-control': name, onclick: act }, text);
    const file = h('a', { class: 'button small quiet', href: `${this.folder}bundle/lesson.tar`, download: `${this.id}.tar` }, words.keepAsFile);
    const now = (): void => this.start(0);
    const night = (): void => this.start(tonight(new Date(timeNow()), Math.random()).getTime());
    const drop = (): void => void this.drop();
    const parts = !this.shelf
      ? [file]
      : !kept
        ? [button('keep', words.keep, now), button('keep-tonight', words.keepTonight, night), file]
        : kept.done
          ? [button('keep-drop', words.keepDrop, drop)]
          : this.broken || kept.notBefore > timeNow()
            ? [button('keep', this.broken ? words.keepOn : words.keep, now), button('keep-drop', words.keepCancel, drop)]
            : [button('keep-drop', words.keepCancel, drop)];
    // Who hears the page is told when it begins to wait, is done or broke off, and not each piece.
    const isUnderWay = kept && !kept.done && kept.received > 0 && !note && kept.notBefore <= timeNow();
    setAttribute(this.said, 'aria-live', isUnderWay ? 'off' : 'polite');
    setText(this.said, note || (kept ? this.progress(kept) : words.keepWhy));
    replaceUnderHand(this.actions, ...parts);
    this.root.hidden = false;
  }

  private progress(kept: Kept): string {
    const { words } = this;
    if (kept.done) return words.keptHere(bytes(kept.total));
    if (kept.notBefore > timeNow()) return words.keepWaits(new Date(kept.notBefore), kept.received > 0 ? bytes(kept.received) : '');
    return words.keeping(bytes(kept.received), kept.total > 0 ? bytes(kept.total) : '…');
  }

  /** The line is back: what broke off goes on by itself. */
  private readonly online = (): void => {
    if (this.broken === 'unreachable') this.next.set(waitAfterOnline(Math.random()), () => this.kept && this.begin(this.kept));
  };

  /** What has come already of one that waits for the night stays. */
  private start(notBefore: number): void {
    const begun = this.kept && { ...this.kept, notBefore };
    if (!begun) void this.shelf?.remove(this.id).catch(() => undefined);
    const kept = begun ?? { id: this.id, title: this.title(), folder: this.folder, total: 0, received: 0, parts: 0, notBefore, done: false };
    this.shelf?.write(kept).then(
      () => this.begin(kept),
      () => this.draw(this.words.keepEnds.full),
    );
    keepPage();
  }

  private begin(kept: Kept): void {
    this.next.cancel();
    this.stop?.abort();
    this.broken = undefined;
    const now = timeNow();
    const notBefore = due(kept.notBefore, new Date(now), Math.random());
    const next = { ...kept, notBefore };
    this.kept = next;
    this.draw();
    const wait = notBefore - now;
    if (wait <= 0) return void this.run(next);
    if (notBefore !== kept.notBefore) void this.shelf?.write(next).catch(() => undefined);
    this.next.set(Math.min(wait, LONGEST_TIMER_MS), () => this.begin(next));
  }

  private async run(kept: Kept): Promise<void> {
    const stop = new AbortController();
    this.stop = stop;
    const ended: Ended = await fetchBundle(this.shelf!, kept, stop.signal, (now) => {
      if (stop.signal.aborted) return;
      this.kept = now;
      this.draw();
    });
    // With a lesson the timetable is kept along, today's and tomorrow's: as it is in the night, where it was fetched then.
    if (ended === 'done') void takeGuides(this.context.store);
    if (ended === 'stopped' || this.gone) return;
    const again = nextTry(ended, kept.notBefore, new Date(timeNow()), Math.random());
    if (again !== undefined) return this.begin({ ...this.kept!, notBefore: again });
    this.broken = ended === 'unreachable' || ended === 'full' ? ended : undefined;
    if (ended === 'missing') {
      await this.shelf!.remove(this.id).catch(() => undefined);
      this.kept = undefined;
    }
    this.draw(ended === 'done' || ended === 'morning' ? '' : this.words.keepEnds[ended]);
  }

  private async drop(): Promise<void> {
    this.stop?.abort();
    this.next.cancel();
    this.broken = undefined;
    await this.shelf?.remove(this.id).catch(() => undefined);
    this.kept = undefined;
    this.draw();
  }
}

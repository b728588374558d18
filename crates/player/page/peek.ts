/**
 * What stands over the bar where one is about to go: the time, the chapter's name, and a small picture. For hands only: who hears the page is
 * told by the slider itself.
 */

import { Alarm } from './alarm';
import type { Chapter } from './chapters';
import type { Controls } from './controls';
import { h, setText } from './dom';
import { entryAt, type Entry } from './entries';
import { clock } from './format';
import { askText } from './pointer';
import type { State } from './state';

/** One small picture: a part of a sheet, in pixels. */
export interface Still extends Entry {
  sheet: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Where the list lies in a package, and the sheets beside it. */
const FOLDER = 'thumbs/';
const LIST = 'thumbs.vtt';

/** More small pictures than a lesson of a day has. */
const MAX_STILLS = 20_000;

/** A sheet is fetched when the hand rests this long at a place of it, in milliseconds: who passes over the bar pays nothing. */
const REST_MS = 150;

/** The thumb's width, in rem: its middle never reaches the ends of the line. */
const THUMB_REM = 1.05;

/** The list in order of time (W3C media fragments in WebVTT); what is not of its form is left out. Pure. */
export function parseStills(text: string): Still[] {
  const stills: Still[] = [];
  const cue = /^(\d{2,}):(\d\d):(\d\d\.\d{3}) --> .*\n(\d{5,}\.jpg)#xywh=(\d+),(\d+),(\d+),(\d+)$/gm;
  for (let found = cue.exec(text); found && stills.length < MAX_STILLS; found = cue.exec(text)) {
    const [hours, minutes, seconds] = found.slice(1, 4).map(Number) as [number, number, number];
    const [x, y, width, height] = found.slice(5).map(Number) as [number, number, number, number];
    stills.push({ at: hours * 3600 + minutes * 60 + seconds, sheet: found[4]!, x, y, width, height });
  }
  return stills.sort((a, b) => a.at - b.at);
}

/** The second that a press leads to, `x` pixels from the beginning of a line that is `width` long. Pure. */
export function secondsAt(x: number, width: number, thumb: number, duration: number): number {
  return width > thumb ? Math.min(1, Math.max(0, (x - thumb / 2) / (width - thumb))) * duration : 0;
}

/** A picture's pixels as large as letters are: across a room, too. */
function rem(pixels: number): string {
  return `${pixels / 16}rem`;
}

export interface PeekOptions {
  controls: Controls;
  state: State;
  /** The package's folder; undefined where nothing is to be fetched. */
  folder(): string | undefined;
  chapters(): readonly Chapter[];
}

export class Peek {
  private readonly picture = h('div', { class: 'peek-picture', hidden: true });
  private readonly title = h('span', { class: 'peek-title' });
  private readonly time = h('span', { class: 'time' });
  private readonly root = h('div', { class: 'peek', 'aria-hidden': true, hidden: true }, this.picture, this.title, this.time);
  /** Where one is about to go, in seconds. */
  private at = 0;
  /** By the keyboard the slider goes there at once. */
  private byKey = false;
  private held = false;
  /** The folder that the list is of, and is asked of. */
  private folder: string | undefined;
  private stills: readonly Still[] = [];
  /** Sheets that are asked for. */
  private readonly sheets = new Map<string, HTMLImageElement>();
  private readonly rest = new Alarm();

  constructor(private readonly options: PeekOptions) {
    const { line, seek } = options.controls;
    line.append(this.root);
    seek.addEventListener('keydown', () => (this.byKey = true));
    seek.addEventListener('pointerdown', () => {
      this.byKey = false;
      this.held = true;
    });
    seek.addEventListener('pointerup', () => (this.held = false));
    seek.addEventListener('pointermove', (event) => event.pointerType === 'mouse' && !this.held && this.hover(event.clientX));
    seek.addEventListener('input', () => this.byKey || this.show(Number(seek.value)));
    for (const event of ['change', 'pointerleave', 'pointercancel']) {
      seek.addEventListener(event, () => {
        this.held = false;
        this.hide();
      });
    }
  }

  destroy(): void {
    this.hide();
    this.root.remove();
  }

  private hover(x: number): void {
    const { left, width } = this.options.controls.seek.getBoundingClientRect();
    const thumb = THUMB_REM * parseFloat(getComputedStyle(document.documentElement).fontSize);
    this.show(secondsAt(x - left, width, thumb, this.options.state.now.duration));
  }

  private show(at: number): void {
    const { controls, state, chapters } = this.options;
    const { duration } = state.now;
    if (duration === 0) return;
    this.at = at;
    const all = chapters();
    setText(this.time, clock(at));
    setText(this.title, all[entryAt(all, at)]?.title ?? '');
    this.root.hidden = false;
    this.draw();
    const room = controls.line.clientWidth - this.root.offsetWidth;
    const middle = (at / duration) * controls.line.clientWidth - this.root.offsetWidth / 2;
    this.root.style.left = `${Math.max(0, Math.min(room, middle))}px`;
  }

  private hide(): void {
    this.rest.cancel();
    this.root.hidden = true;
  }

  /** The picture of the place, or what has to be fetched for it. */
  private draw(): void {
    const folder = this.options.folder();
    if (folder !== this.folder) this.forget();
    const still = folder ? this.stills[entryAt(this.stills, this.at)] : undefined;
    const sheet = still && this.sheets.get(still.sheet);
    this.picture.hidden = !sheet?.naturalWidth;
    this.rest.cancel();
    if (still && sheet?.naturalWidth) {
      const { style } = this.picture;
      style.width = rem(still.width);
      style.height = rem(still.height);
      style.backgroundImage = `url("${sheet.src}")`;
      style.backgroundSize = `${rem(sheet.naturalWidth)} ${rem(sheet.naturalHeight)}`;
      style.backgroundPosition = `${rem(-still.x)} ${rem(-still.y)}`;
    } else if (folder) this.rest.set(REST_MS, () => (still ? this.fetchSheet(folder, still.sheet) : void this.readList(folder)));
  }

  private forget(): void {
    this.folder = undefined;
    this.stills = [];
    this.sheets.clear();
  }

  /** What did not come is asked for at the next touch. */
  private async readList(folder: string): Promise<void> {
    if (this.folder === folder) return;
    this.folder = folder;
    const [status, text] = await askText(folder + FOLDER + LIST).catch((): [number, string] => [0, '']);
    if (this.folder !== folder) return;
    this.stills = status === 200 ? parseStills(text) : [];
    if (status === 0 || status >= 500) this.forget();
    else this.again();
  }

  private fetchSheet(folder: string, sheet: string): void {
    if (this.sheets.has(sheet)) return;
    const image = new Image();
    this.sheets.set(sheet, image);
    image.onload = () => this.again();
    image.onerror = () => this.sheets.delete(sheet);
    image.src = folder + FOLDER + sheet;
  }

  private again(): void {
    if (!this.root.hidden) this.show(this.at);
  }
}

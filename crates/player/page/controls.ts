/** The bar under the picture. It stands beside the picture, not on it: the last line of a slide is never covered. */

import type { Engine } from './engine';
import { h, icon, setAttribute, setIcon, setText } from './dom';
import { bitRate, bytes, clock, cost } from './format';
import { Menu } from './menu';
import { hasPictures, MODES, SOUND_BPS, type Mode } from './mode';
import { SPEEDS } from './preferences';
import type { Command } from './shortcuts';
import type { Level, State } from './state';
import type { Words } from './words';

/** What the bar asks the player to do. */
export interface Actions {
  run(command: Command): void;
  seekTo(seconds: number): void;
  setVolume(volume: number): void;
  setSpeed(speed: number): void;
  setQuality(index: number | null): void;
  setMode(mode: Mode): void;
}

export class Controls {
  readonly root: HTMLElement;
  private readonly playIcon = icon('play');
  private readonly soundIcon = icon('sound');
  private readonly screenIcon = icon('enlarge');
  private readonly play: HTMLButtonElement;
  private readonly mute: HTMLButtonElement;
  private readonly screen: HTMLButtonElement;
  /** The place in the lesson, and what others put over it. */
  readonly seek: HTMLInputElement;
  readonly line: HTMLElement;
  private readonly volume: HTMLInputElement;
  private readonly time: HTMLElement;
  private readonly speed: Menu<number>;
  private readonly quality: Menu<number | null>;
  readonly mode: Menu<Mode>;
  /** Another may be put in front of them. */
  readonly menus: Pick<Menu<unknown>, 'root' | 'isOpen' | 'close' | 'destroy'>[];
  /** While a finger is on the slider it shows the finger's place, and nothing is fetched until it is lifted. */
  private dragging = false;
  private offered: readonly Level[] | undefined;
  private offeredFor = 0;
  private modesFor = -1;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly state: State,
    private readonly words: Words,
    actions: Actions,
  ) {
    const button = (name: string, drawing: SVGSVGElement, command: Command): HTMLButtonElement =>
      h('button', { type: 'button', class: 'control', 'data-control': name, onclick: () => actions.run(command) }, drawing);
    this.play = button('play', this.playIcon, { do: 'toggle' });
    this.mute = button('mute', this.soundIcon, { do: 'mute' });
    this.screen = button('fullscreen', this.screenIcon, { do: 'fullscreen' });
    const help = button('help', icon('keyboard'), { do: 'help' });
    setAttribute(help, 'aria-label', words.help);
    setAttribute(help, 'title', `${words.help} (?)`);
    this.seek = h('input', {
      type: 'range', class: 'seek', min: 0, max: 0, step: 0.1, value: 0, 'aria-label': words.seek,
      oninput: () => {
        this.dragging = true;
        this.update();
      },
      onchange: () => {
        this.dragging = false;
        actions.seekTo(Number(this.seek.value));
      },
    });
    this.line = h('div', { class: 'line' }, this.seek);
    this.volume = h('input', {
      type: 'range', class: 'volume', min: 0, max: 1, step: 0.05, value: 1, 'aria-label': words.volume,
      oninput: () => actions.setVolume(Number(this.volume.value)),
    });
    this.time = h('span', { class: 'time' });
    this.speed = new Menu(words.speed, 'speed', (speed) => actions.setSpeed(speed));
    this.speed.offer(SPEEDS.map((speed) => ({ value: speed, name: `${speed}×` })));
    this.quality = new Menu<number | null>(words.quality, 'quality', (index) => actions.setQuality(index));
    this.mode = new Menu<Mode>(words.mode, 'mode', (mode) => actions.setMode(mode));
    this.menus = [this.speed, this.mode, this.quality];
    this.root = h(
      'div',
      { class: 'bar', role: 'group', 'aria-label': words.player },
      this.line,
      h(
        'div',
        { class: 'buttons' },
        this.play,
        this.mute,
        this.volume,
        this.time,
        h('span', { class: 'spring' }),
        this.speed.root,
        this.mode.root,
        this.quality.root,
        help,
        this.screen,
      ),
    );
  }

  /** A menu is open: the bar must stay. */
  get busy(): boolean {
    return this.dragging || this.menus.some((menu) => menu.isOpen);
  }

  update(engine?: Engine): void {
    const { words, video, state } = this;
    const { phase, position, duration, buffered } = state.now;
    const running = !video.paused && phase !== 'ended' && phase !== 'stopped';
    this.label(this.play, phase === 'ended' ? words.replay : running ? words.pause : words.play, 'K');
    setIcon(this.playIcon, phase === 'ended' ? 'replay' : running ? 'pause' : 'play');
    const silent = video.muted || video.volume === 0;
    this.label(this.mute, silent ? words.unmute : words.mute, 'M');
    setIcon(this.soundIcon, silent ? 'silent' : 'sound');
    const volume = silent ? 0 : video.volume;
    this.volume.value = String(volume);
    this.volume.style.setProperty('--played', `${volume * 100}%`);
    setAttribute(this.volume, 'aria-valuetext', `${Math.round(volume * 100)}%`);

    setAttribute(this.seek, 'max', duration);
    if (!this.dragging) this.seek.value = String(position);
    const at = this.dragging ? Number(this.seek.value) : position;
    const share = (seconds: number): string => `${duration > 0 ? Math.min(100, (seconds / duration) * 100) : 0}%`;
    this.seek.style.setProperty('--played', share(at));
    this.seek.style.setProperty('--buffered', share(position + buffered));
    this.seek.disabled = duration === 0;
    setAttribute(this.seek, 'aria-valuetext', words.timeOf(clock(at), clock(duration)));
    setText(this.time, `${clock(at)} / ${clock(duration)}`);

    this.speed.show(`${video.playbackRate}×`, video.playbackRate);
    this.mode.show(words.modes[state.now.mode].face, state.now.mode);
    if (engine) this.updateQuality(engine);
  }

  updateScreen(full: boolean): void {
    this.label(this.screen, full ? this.words.leaveFullscreen : this.words.fullscreen, 'F');
    setIcon(this.screenIcon, full ? 'shrink' : 'enlarge');
  }

  closeMenus(): void {
    this.menus.forEach((menu) => menu.close(false));
  }

  destroy(): void {
    this.menus.forEach((menu) => menu.destroy());
  }

  private updateQuality(engine: Engine): void {
    const { words } = this;
    const { levels, level, chosen, duration, mode } = this.state.now;
    if (duration !== this.modesFor) this.offerModes(duration);
    if (!hasPictures(mode)) return this.quality.show('—', null, false);
    if (engine.name === 'native') return this.quality.show(words.auto, null, false);
    if (levels !== this.offered || duration !== this.offeredFor) {
      this.offered = levels;
      this.offeredFor = duration;
      const rungs = [...levels].reverse().map((rung) => ({
        value: rung.index as number | null,
        name: levelName(rung),
        // What it costs decides on a data plan, so it is said before choosing.
        note: duration > 0 ? `${bitRate(rung.bitRate)} · ${words.wholeLesson(bytes(cost(rung.bitRate, duration)))}` : bitRate(rung.bitRate),
      }));
      this.quality.offer([{ value: null, name: words.auto, note: words.autoHint }, ...rungs]);
    }
    const fixed = chosen === null ? undefined : levels[chosen];
    const detail = level && !fixed ? words.autoNow(levelName(level)) : '';
    this.quality.show(fixed ? levelName(fixed) : words.auto, chosen, levels.length > 0, detail);
  }

  private offerModes(duration: number): void {
    const { words } = this;
    this.modesFor = duration;
    const sound = duration > 0 ? words.wholeLesson(bytes(cost(SOUND_BPS, duration))) : '';
    const note = (mode: Mode): string => [words.modes[mode].note, mode === 'sound' && sound].filter(Boolean).join(' · ');
    this.mode.offer(MODES.map((mode) => ({ value: mode, name: words.modes[mode].name, note: note(mode) })));
  }

  private label(button: HTMLButtonElement, text: string, key: string): void {
    setAttribute(button, 'aria-label', text);
    setAttribute(button, 'title', `${text} (${key})`);
  }
}

/** A rung by its height, as everybody calls it. */
export function levelName(level: Level): string {
  return `${level.height}p`;
}

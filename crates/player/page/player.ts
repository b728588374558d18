/** The player of one lesson: picture, bar, notices and keys around an engine. */

import { airingsOf } from './airings';
import { Alarm } from './alarm';
import { bufferedAhead, isDry } from './buffered';
import type { Chapters } from './chapters';
import { Controls, levelName, type Actions } from './controls';
import { h, icon, setAttribute, setText } from './dom';
import type { Bundle } from './offline/loader';
import { openEngine, type Engine, type EngineListener, type Problem, type Subtitle } from './engine';
import { focusOf } from './focus';
import { isFullscreen, toggleFullscreen } from './fullscreen';
import { Help } from './help';
import { Notice } from './notice';
import { hasPictures, type Mode } from './mode';
import { fetchPart, pageAnew, wantsPageAnew } from './part';
import { keepPreferences, nextSpeed, readPreferences, savesData, wantedMode } from './preferences';
import { MAX_ATTEMPTS, waitBefore } from './recovery';
import { Slides } from './slides';
import { commandOf, type Command } from './shortcuts';
import type { Reporting } from './reporting';
import type { Phase, State } from './state';
import type { Store } from './store';
import type { Words } from './words';

/** In full screen the bar leaves after this long without a hand on anything, in milliseconds. */
const IDLE_MS = 3_000;

/** A message over the picture stays this long, in milliseconds. */
const MESSAGE_MS = 1_600;

/** And fades for not quite so long. */
const FADES_MS = 300;

export interface PlayerOptions {
  url: string;
  /** Where the lesson lies on the device, if it does. */
  bundle?: Bundle | undefined;
  /** By which guides know it. */
  lesson: string;
  /** Seconds; zero for the beginning. */
  startAt: number;
  words: Words;
  state: State;
  store: Store;
  reporting: Reporting;
  /** Hears what a lesson is called that may not begin yet. */
  called?(title: string): void;
}

export class Player {
  readonly root: HTMLElement;
  /** For what stands under what is said of the lesson. */
  readonly below = h('div');
  readonly video: HTMLVideoElement;
  private readonly controls: Controls;
  private readonly notice: Notice;
  private readonly help: Help;
  private readonly slides: Slides;
  /** The lesson's package, as soon as it is known. */
  private folder: string | undefined;
  /** Ends them, or the asking for their part; undefined as long as the lesson is not known to have any. */
  private endSubtitles: (() => void) | undefined;
  private endChapters: (() => void) | undefined;
  private chapters: Chapters | undefined;
  private endPeek: (() => void) | undefined;
  private readonly message = h('p', { class: 'message', role: 'status' });
  private readonly waiting: HTMLElement;
  private readonly big: HTMLButtonElement;
  private engine: Engine | undefined;
  /** How often the engine's own script did not arrive, and when it is asked for again. */
  private attempts = 0;
  private readonly next = new Alarm();
  private problem: Problem | undefined;
  private gone = false;
  private elsewhereAsked = false;
  private idleTimer = 0;
  private messageTimer = 0;
  private readonly stopListening: () => void;

  constructor(private readonly options: PlayerOptions) {
    const { words, state, store } = options;
    this.video = h('video', { class: 'video', playsinline: true, preload: 'auto', 'aria-label': words.player, tabindex: -1 });
    const preferences = readPreferences(store);
    this.video.volume = preferences.volume;
    this.video.muted = preferences.muted;
    this.video.defaultPlaybackRate = preferences.speed;
    this.video.playbackRate = preferences.speed;

    this.controls = new Controls(this.video, state, words, this.actions());
    // All of it is here: nothing would be saved, and slides are not among it.
    this.controls.mode.root.hidden = options.bundle !== undefined;
    this.notice = new Notice(words, options.reporting, () => this.retry(), () => this.engine?.goOn());
    this.help = new Help(words);
    this.slides = new Slides(() => this.video.currentTime, words);
    this.waiting = h('div', { class: 'waiting', role: 'status', hidden: true }, h('span', { class: 'spinner' }), h('span', { class: 'waiting-text' }));
    this.big = h('button', { type: 'button', class: 'big-play', 'aria-label': words.play, tabindex: -1, onclick: () => this.run({ do: 'toggle' }) }, icon('play'));
    const stage = h('div', { class: 'stage' }, this.video, this.slides.root, this.waiting, this.big, this.message, this.notice.root);
    this.root = h('section', { class: 'player', 'aria-label': words.player }, stage, this.controls.root, this.help.root);

    this.listenToVideo();
    this.listenToHands(stage);
    this.stopListening = state.listen(() => this.draw());
    this.controls.updateScreen(false);
    this.draw();
  }

  /** Opens the lesson and plays as soon as it can, if the browser lets it. */
  async start(): Promise<void> {
    const { url, startAt, state } = this.options;
    const { bundle } = this.options;
    // All that a bundle has is here already.
    state.set({ phase: 'opening', mode: bundle ? 'auto' : wantedMode(this.options.store) });
    this.drawSlides();
    this.video.play().catch(() => undefined);
    const { problem } = this;
    let engine: Engine | undefined;
    try {
      engine = await openEngine(this.video, { url, startAt, mode: state.now.mode, bundle }, this.engineListener());
    } catch {
      if (!this.gone) this.startAgain();
      return;
    }
    if (this.gone) return engine?.destroy();
    this.engine = engine;
    // What was said of its script; what it says itself stands.
    if (problem && this.problem === problem) this.setProblem(undefined);
    if (!engine) return;
    state.set({ engine: engine.name });
    if (!this.video.paused) engine.watching();
    this.video.play().catch(() => this.updatePhase());
    this.draw();
  }

  /** The engine's own script did not arrive. */
  private startAgain(): void {
    const attempt = this.attempts;
    this.attempts += 1;
    const wait = attempt < MAX_ATTEMPTS ? waitBefore(attempt, Math.random()) : null;
    this.setProblem({ kind: 'network', trouble: 'unreachable', retryInMs: wait });
    if (wait !== null) this.next.set(wait, () => void this.start());
    // The lesson's address stays, and its place is noted.
    if (wantsPageAnew(attempt) && !this.options.bundle) void pageAnew(() => !this.gone && !this.engine);
  }

  run(command: Command): void {
    const { video } = this;
    const { words } = this.options;
    switch (command.do) {
      case 'toggle':
        return this.toggle();
      case 'skip':
        this.actions().seekTo(video.currentTime + command.seconds);
        return this.say(`${command.seconds > 0 ? '+' : '−'}${words.seconds(Math.abs(command.seconds))}`);
      case 'seek':
        return this.actions().seekTo((this.options.state.now.duration * command.tenth) / 10);
      case 'volume':
        return this.actions().setVolume(Math.round((video.muted ? 0 : video.volume) * 10 + command.change * 10) / 10);
      case 'mute':
        video.muted = !video.muted;
        keepPreferences(this.options.store, { muted: video.muted });
        return this.say(video.muted ? words.muted : words.volumeAt(Math.round(video.volume * 100)));
      case 'speed':
        return this.actions().setSpeed(nextSpeed(video.playbackRate, command.direction));
      case 'fullscreen':
        return toggleFullscreen(this.root, this.video);
      case 'help':
        return this.help.toggle();
    }
  }

  /** A short message over the picture, which screen readers read out as well. */
  say(text: string): void {
    window.clearTimeout(this.messageTimer);
    setText(this.message, text);
    this.message.classList.add('shown');
    this.messageTimer = window.setTimeout(() => {
      this.message.classList.remove('shown');
      // Who reads the page by ear would find "paused" in a lesson that plays, and not hear the same twice.
      this.messageTimer = window.setTimeout(() => setText(this.message, ''), FADES_MS);
    }, MESSAGE_MS);
  }

  destroy(): void {
    this.gone = true;
    this.next.cancel();
    this.stopListening();
    window.clearTimeout(this.idleTimer);
    window.clearTimeout(this.messageTimer);
    document.removeEventListener('keydown', this.onKey);
    document.removeEventListener('fullscreenchange', this.onFullscreen);
    document.removeEventListener('webkitfullscreenchange', this.onFullscreen);
    this.notice.hide();
    this.controls.destroy();
    this.slides.close();
    if (__EXTRAS__) {
      this.endExtras();
      this.endPeek?.();
    }
    this.engine?.destroy();
    this.root.remove();
  }

  private actions(): Actions {
    const { video } = this;
    const { words, state, store } = this.options;
    return {
      run: (command) => this.run(command),
      seekTo: (seconds) => {
        if (state.now.duration > 0) video.currentTime = Math.min(Math.max(0, seconds), state.now.duration);
        this.updateTime();
      },
      setVolume: (wanted) => {
        const volume = Math.min(1, Math.max(0, wanted));
        video.volume = volume;
        video.muted = false;
        keepPreferences(store, { volume, muted: false });
        this.say(words.volumeAt(Math.round(volume * 100)));
      },
      setSpeed: (speed) => {
        video.defaultPlaybackRate = speed;
        video.playbackRate = speed;
        keepPreferences(store, { speed });
        this.say(words.speedAt(speed));
      },
      setMode: (mode) => this.setMode(mode),
      setQuality: (index) => {
        const level = index === null ? undefined : state.now.levels[index];
        state.set({ chosen: index });
        this.engine?.choose(index);
        this.say(words.qualityChosen(level ? levelName(level) : words.auto));
        this.draw();
      },
    };
  }

  private engineListener(): EngineListener {
    const { state } = this.options;
    return {
      levels: (levels) => state.set({ levels: Object.freeze([...levels]) }),
      level: (level, chosen) => state.set({ level, chosen }),
      found: (folder) => {
        // Of a lesson that was replaced meanwhile, what was offered is not this one's.
        if (__EXTRAS__ && this.folder) this.endExtras();
        this.folder = folder;
        state.set({ package: folder });
        this.drawSlides();
      },
      subtitles: (offered) => this.offerSubtitles(offered),
      chapters: () => this.offerChapters(),
      problem: (problem) => this.setProblem(problem),
      error: (error) => state.log({ ...error, at: Math.round(performance.now()) }),
    };
  }

  private setProblem(problem: Problem | undefined): void {
    this.problem = problem;
    const { words, state } = this.options;
    state.set({ fault: problem ? (problem.kind === 'network' ? problem.trouble : problem.kind) : null });
    if (problem?.kind === 'waiting') {
      this.notice.countDown(problem.retryInMs, problem.waiting.opensAt === null ? words.turnIn : words.opensIn);
      if (problem.waiting.title) this.options.called?.(problem.waiting.title);
    } else this.notice.countDown(problem?.kind === 'network' ? problem.retryInMs : null);
    this.updatePhase();
    this.draw();
  }

  /** The day's guide is asked once, when the lesson cannot be had here; a turn or a bell says by itself where else. */
  private async sayElsewhere(): Promise<void> {
    if (this.elsewhereAsked) return;
    this.elsewhereAsked = true;
    const airings = await airingsOf(this.options.lesson, this.options.store);
    if (!this.gone) this.notice.showElsewhere(airings.map(this.options.words.airs).join(''));
  }

  private retry(): void {
    if (this.engine) {
      this.notice.countDown(0);
      this.engine.retry();
    } else {
      this.next.cancel();
      this.attempts = 0;
      this.setProblem(undefined);
      void this.start();
    }
  }

  private setMode(mode: Mode): void {
    const { state, store, words } = this.options;
    keepPreferences(store, { mode });
    state.set({ mode, level: null });
    this.engine?.take(mode);
    this.drawSlides();
    this.say(words.modes[mode].name);
    this.draw();
  }

  /** What stands where moving pictures would be. */
  private drawSlides(): void {
    const { mode } = this.options.state.now;
    if (hasPictures(mode)) this.slides.close();
    else if (mode === 'slides' && this.folder) this.slides.open(this.folder);
    else this.slides.soundOnly();
  }

  /** Most lessons have none, and nothing is fetched for it. */
  private offerSubtitles(offered: readonly Subtitle[]): void {
    if (__EXTRAS__ && !this.endSubtitles && offered.length > 0) {
      const { video, controls } = this;
      const { words, store, bundle } = this.options;
      const folder = (): string | undefined => this.folder;
      this.endSubtitles = fetchPart(
        () => import('./extras'),
        ({ Subtitles }) => {
          const subtitles = new Subtitles({ video, controls, words, store, offered, folder, bundle });
          this.endSubtitles = () => subtitles.destroy();
        },
      );
    }
  }

  /** Most lessons have none of these, either. */
  private offerChapters(): void {
    const { below: place, controls, folder } = this;
    const { words, state, bundle } = this.options;
    if (__EXTRAS__ && !this.endChapters && (folder || bundle)) {
      // Who chooses one wants to see it, also after the end.
      const seekTo = (seconds: number): void => {
        this.actions().seekTo(seconds);
        this.video.play().catch(() => undefined);
      };
      this.endChapters = fetchPart(
        () => import('./extras'),
        ({ Chapters }) => {
          const chapters = new Chapters({ place, controls, words, state, seekTo, folder, bundle });
          this.chapters = chapters;
          this.endChapters = () => chapters.destroy();
        },
      );
    }
  }

  /** A hand is at the bar for the first time: it is shown where it would go. */
  private readonly offerPeek = (): void => {
    if (__EXTRAS__ && !this.endPeek) {
      const { controls } = this;
      const { state } = this.options;
      // Data costs money: who saves it is told the time and the chapter's name.
      const folder = (): string | undefined => (state.now.mode === 'auto' && !savesData() ? this.folder : undefined);
      this.endPeek = fetchPart(
        () => import('./extras'),
        ({ Peek }) => {
          const peek = new Peek({ controls, state, folder, chapters: () => this.chapters?.all ?? [] });
          this.endPeek = () => peek.destroy();
        },
      );
    }
  };

  private endExtras(): void {
    this.endSubtitles?.();
    this.endChapters?.();
    this.endSubtitles = this.endChapters = this.chapters = undefined;
  }

  private toggle(): void {
    const { video } = this;
    if (video.ended) video.currentTime = 0;
    if (video.paused || video.ended) video.play().catch(() => undefined);
    else {
      video.pause();
      this.say(this.options.words.paused);
    }
  }

  private listenToVideo(): void {
    const { video } = this;
    ['timeupdate', 'progress', 'durationchange', 'seeking', 'seeked'].forEach((event) => video.addEventListener(event, () => this.updateTime()));
    ['timeupdate', 'seeking'].forEach((event) => video.addEventListener(event, () => this.slides.draw()));
    ['loadstart', 'loadeddata', 'canplay', 'waiting', 'playing', 'pause', 'ended', 'seeking', 'seeked', 'emptied'].forEach((event) => video.addEventListener(event, () => this.updatePhase()));
    ['volumechange', 'ratechange'].forEach((event) => video.addEventListener(event, () => this.draw()));
    video.addEventListener('play', () => {
      this.engine?.watching();
      this.updatePhase();
    });
    video.addEventListener('ended', () => this.say(this.options.words.ended));
  }

  private listenToHands(stage: HTMLElement): void {
    for (const place of [this.video, this.slides.root]) place.addEventListener('click', () => {
      // A finger first brings the bar back; a mouse has brought it back by moving.
      if (this.root.classList.contains('idle')) this.wake();
      else this.toggle();
    });
    stage.addEventListener('dblclick', (event) => (event.target === this.video || this.slides.root.contains(event.target as Node)) && toggleFullscreen(this.root, this.video));
    ['pointermove', 'focusin', 'keydown'].forEach((event) => this.root.addEventListener(event, () => this.wake()));
    if (__EXTRAS__) ['pointermove', 'pointerdown'].forEach((event) => this.controls.seek.addEventListener(event, this.offerPeek));
    document.addEventListener('keydown', this.onKey);
    document.addEventListener('fullscreenchange', this.onFullscreen);
    document.addEventListener('webkitfullscreenchange', this.onFullscreen);
  }

  private readonly onKey = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || this.help.root.open) return;
    const command = commandOf(event, focusOf(event.target));
    if (!command) return;
    event.preventDefault();
    this.wake();
    this.run(command);
  };

  private readonly onFullscreen = (): void => {
    const full = isFullscreen(this.root);
    this.root.classList.toggle('full', full);
    this.controls.closeMenus();
    this.controls.updateScreen(full);
    this.wake();
  };

  private wake(): void {
    this.root.classList.remove('idle');
    window.clearTimeout(this.idleTimer);
    if (!isFullscreen(this.root)) return;
    this.idleTimer = window.setTimeout(() => {
      if (this.controls.busy || this.video.paused) this.wake();
      else this.root.classList.add('idle');
    }, IDLE_MS);
  }

  private updateTime(): void {
    const { video } = this;
    const duration = Number.isFinite(video.duration) ? video.duration : 0;
    this.options.state.set({ position: video.currentTime, duration, buffered: bufferedAhead(video) });
  }

  private updatePhase(): void {
    this.updateTime();
    const { state } = this.options;
    const before = state.now.phase;
    const phase = this.phase();
    // A device that is slow to decode stands still, too, and has all it needs.
    const stalled = phase === 'buffering' && before === 'playing' && !this.video.seeking && isDry(this.video);
    state.set({ phase, stalls: state.now.stalls + (stalled ? 1 : 0) });
  }

  private phase(): Phase {
    const { video, problem } = this;
    const dry = isDry(video) && !video.ended;
    if (problem && (problem.kind !== 'network' || dry)) return 'stopped';
    if (video.ended) return 'ended';
    if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return video.currentTime > 0 && !video.paused ? 'buffering' : 'opening';
    if (video.paused) return 'paused';
    return video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA || video.seeking ? 'buffering' : 'playing';
  }

  private draw(): void {
    const { words, state } = this.options;
    const { phase } = state.now;
    this.controls.update(this.engine);
    setAttribute(this.root, 'data-phase', phase);
    if (this.problem) {
      this.notice.show(this.problem, phase !== 'stopped');
      if (phase === 'stopped' && this.problem.kind !== 'waiting') void this.sayElsewhere();
    } else this.notice.hide();
    const waits = phase === 'opening' || phase === 'buffering';
    this.waiting.hidden = !waits;
    if (waits) setText(this.waiting.lastElementChild!, phase === 'opening' ? words.loading : words.buffering);
    this.big.hidden = phase !== 'paused';
  }
}

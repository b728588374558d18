/** Playing through hls.js, and the way back after errors. */

import Hls, { type ErrorData, type HlsConfig } from 'hls.js';
import { ACCEPT, comeAgain, LONGEST_WAIT_MS, parseWaiting, type Waiting } from './admission';
import { Alarm } from './alarm';
import { heard } from './answers';
import { kindOf, sessionOf } from './cmcd';
import { ceiling, CHAPTERS, hasPictures, packageOf, type Mode } from './mode';
import type { Engine, EngineListener, Problem, Source } from './engine';
import { Failing, MAX_ATTEMPTS, MAX_STANDSTILLS, mediaRemedy, retryAfter, waitAfterOnline, waitBefore, type Download } from './recovery';
import { av1IsSmooth } from './decoding';
import { isAv1 } from './rungs';
import { bodyOf, downloadOf, retryAfterHeader, troubleBehind } from './hls-errors';
import { levelsOf, thinOut } from './hls-levels';
import { AHEAD_BYTES, AHEAD_S, AHEAD_SAVING_S, CONFIG } from './hls-settings';
import { tellStandstill } from './hls-downloads';
import { Standstill } from './standstill';
import { bufferedAhead } from './buffered';
import { loaderOf, playlistOf } from './offline/loader';

/** Standstills no further apart than this are at one place, in seconds. */
const ONE_PLACE_S = 5;

/** Failures that hls.js deals with by itself, in a row, after which the pupil is told. */
const QUIET_FAILURES = 2;

/** Beside a package's main playlist: its sound alone. */
const SOUND = 'audio.m3u8';

/** An engine on hls.js, or undefined where it cannot run. */
export function hlsEngine(video: HTMLVideoElement, source: Source, listener: EngineListener): Engine | undefined {
  return Hls.isSupported() ? new HlsEngine(video, source, listener) : undefined;
}

class HlsEngine implements Engine {
  readonly name = 'hls.js';
  private hls: Hls;
  private chosen: number | null = null;
  private watched = false;
  private mode: Mode;
  /** The package's folder, as soon as it is known. */
  private folder: string | undefined;
  private readonly failing = new Failing();
  /** Attempts of our own since everything last came. */
  private attempts = 0;
  /** The one thing that is due. */
  private readonly next = new Alarm();
  private readonly standstill: Standstill;
  /** Standstills in a row at one place, and the place in seconds. */
  private standstills = 0;
  private stoodAt = 0;
  /** Only a person's press goes on from here. */
  private stopped = false;
  /** AV1 has not failed on this device yet. */
  private av1Works = true;
  /** A problem stands reported. */
  private troubled = false;
  private readonly decoderFailures: number[] = [];
  /** The place in line that was given; empty where there is none. */
  private ticket: string;
  private readonly telling;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly source: Source,
    private readonly listener: EngineListener,
  ) {
    this.mode = source.mode;
    this.ticket = source.ticket || '';
    // What is on the device asks nobody.
    this.telling = source.bundle ? undefined : sessionOf(video);
    this.standstill = new Standstill(video, {
      due: () => this.next.isSet || this.stopped,
      online: () => navigator.onLine,
      now: () => performance.now(),
      found: () => this.stoodStill(),
    });
    this.hls = this.open(source.startAt);
    window.addEventListener('online', this.onOnline);
  }

  choose(index: number | null): void {
    this.chosen = index;
    // Takes effect with the next segment, not when all that is already downloaded has been played.
    this.hls.nextLevel = index ?? -1;
    this.reportLevel();
  }

  take(mode: Mode): void {
    const before = this.mode;
    this.mode = mode;
    this.chosen = null;
    if (hasPictures(before) !== hasPictures(mode) || !hasPictures(mode)) return this.rebuild();
    this.hls.nextLevel = -1;
    this.limit();
    if (this.watched) this.watching();
    this.reportLevel();
  }

  watching(): void {
    this.watched = true;
    const saving = this.mode === 'saver';
    this.hls.config.maxBufferLength = saving ? AHEAD_SAVING_S : AHEAD_S;
    this.hls.config.maxBufferSize = saving ? 0 : AHEAD_BYTES;
  }

  retry(): void {
    this.next.cancel();
    this.attempts = 0;
    this.standstills = 0;
    if (this.stopped || this.hls.levels.length === 0) {
      this.stopped = false;
      this.decoderFailures.length = 0;
      this.rebuild();
    } else {
      this.resume();
    }
  }

  goOn(): void {
    this.next.cancel();
    this.hls.loadSource(comeAgain(this.source.url, this.ticket, true));
  }

  destroy(): void {
    this.next.cancel();
    this.standstill.destroy();
    this.telling?.end();
    window.removeEventListener('online', this.onOnline);
    this.hls.destroy();
  }

  private open(startAt: number): Hls {
    const hls = new Hls({ ...CONFIG, startPosition: startAt > 0 ? startAt : -1, xhrSetup: (xhr, url) => this.ask(xhr, url), autoStartLoad: !this.looksForSound(), ...this.fromDevice() });
    hls.on(Hls.Events.MANIFEST_PARSED, (_, { audioTracks, subtitleTracks, sessionData }) => {
      const elsewhere = this.leadsElsewhere(hls);
      if (__EXTRAS__) {
        this.listener.subtitles(subtitleTracks);
        if (sessionData?.[CHAPTERS]) this.listener.chapters();
      }
      if (elsewhere) return;
      // The mono sound of the lowest rung and the stereo of the others are the same lesson. Told that they differ in
      // channels, hls.js throws away all sound downloaded so far at each change between them: a gap, just when the line
      // is weak.
      for (const track of audioTracks) delete track.channels;
      thinOut(hls, this.av1Works && av1IsSmooth());
      this.listener.levels(hasPictures(this.mode) ? levelsOf(hls) : []);
      if (this.chosen !== null && this.chosen < hls.levels.length) hls.nextLevel = this.chosen;
      this.limit();
      this.came('playlist');
      if (!hls.config.autoStartLoad) hls.startLoad(hls.config.startPosition);
    });
    // A lesson that was replaced by a shorter one: its end would be waited at for ever.
    hls.once(Hls.Events.LEVEL_LOADED, (_, { details }) => startAt >= details.totalduration && hls.startLoad(0));
    hls.on(Hls.Events.LEVELS_UPDATED, () => {
      // A rung that could not be had was taken out, and the others moved up.
      this.chosen = hls.manualLevel < 0 ? null : hls.manualLevel;
      this.limit();
      this.listener.levels(hasPictures(this.mode) ? levelsOf(hls) : []);
      this.reportLevel();
    });
    hls.on(Hls.Events.LEVEL_SWITCHED, () => this.reportLevel());
    // As it arrives, not when it is buffered: that may be after the line has broken and loading has stopped, and says nothing
    // about the line then.
    hls.on(Hls.Events.FRAG_LOADED, (_, { frag, networkDetails }) => {
      note(frag.url, networkDetails);
      const { start, first, end } = frag.stats.loading;
      this.telling?.reports.answered(frag.url, 200, first - start, end - start);
      this.came(frag.type === 'audio' ? 'sound' : 'picture');
    });
    hls.on(Hls.Events.ERROR, (_, data) => this.failed(data));
    tellStandstill(hls, this.standstill);
    hls.attachMedia(this.video);
    hls.loadSource(this.url());
    return hls;
  }

  /**
   * The pointer tells the package, and with it where sound alone lies. It is read in any case: who may begin is said there.
   */
  private leadsElsewhere(hls: Hls): boolean {
    const folder = packageOf(hls.levels[0]?.url[0] ?? '');
    if (folder && folder !== this.folder) {
      this.folder = folder;
      this.listener.found(folder);
    }
    const elsewhere = !hasPictures(this.mode) && this.folder !== undefined && hls.url?.endsWith(SOUND) !== true;
    // hls.js is in the middle of telling its own parts about this playlist.
    if (elsewhere) this.next.set(0, () => this.rebuild());
    return elsewhere;
  }

  /** Only the package is wanted of the pointer. */
  private looksForSound(): boolean {
    return !hasPictures(this.mode) && this.folder === undefined;
  }

  /** Holds the engine's own choice below what the mode allows. */
  private limit(): void {
    // hls.js fits rungs to the picture's size by the same limit.
    this.hls.capLevelToPlayerSize = this.mode === 'auto';
    if (this.mode !== 'auto') this.hls.autoLevelCapping = ceiling(this.mode, levelsOf(this.hls).map(({ bitRate }) => bitRate));
  }

  private fromDevice(): Partial<HlsConfig> {
    return this.source.bundle ? { loader: loaderOf(this.source.bundle) } : {};
  }

  private url(): string {
    if (this.source.bundle) return playlistOf();
    if (this.folder !== undefined && !hasPictures(this.mode)) return this.folder + SOUND;
    return comeAgain(this.source.url, this.ticket);
  }

  /** The lesson's own address is asked so that it may say "not yet" to a page; segments tell how playing goes. */
  private ask(xhr: XMLHttpRequest, url: string): void {
    const kind = kindOf(url);
    if (kind && this.telling) {
      xhr.open('GET', url, true);
      const fields = this.telling.session.fields({ kind, ...this.measured(kind) }, performance.now());
      for (const name of Object.keys(fields)) xhr.setRequestHeader(name, fields[name]!);
    } else if (new URL(url, location.href).pathname === this.source.url) {
      xhr.open('GET', url, true);
      xhr.setRequestHeader('Accept', ACCEPT);
    }
  }

  private measured(kind: 'v' | 'a'): { bitRate: number; throughput: number; buffered: number; alone: boolean } {
    const { hls, video, mode } = this;
    const alone = !hasPictures(mode);
    const bitRate = kind === 'v' || alone ? (levelsOf(hls)[hls.loadLevel]?.bitRate ?? 0) : 0;
    const estimate = hls.bandwidthEstimate;
    return { bitRate, throughput: Number.isFinite(estimate) ? estimate : 0, buffered: bufferedAhead(video), alone };
  }

  /** The same place, quality and wish to watch, with everything else new. */
  private rebuild(): void {
    const at = this.video.currentTime || this.source.startAt;
    const playing = !this.video.paused;
    this.hls.destroy();
    this.hls = this.open(at);
    if (this.watched) this.watching();
    if (playing) this.video.play().catch(() => undefined);
  }

  private reportLevel(): void {
    const index = this.hls.currentLevel;
    this.listener.level(levelsOf(this.hls)[index] ?? null, this.chosen);
  }

  /** A download arrived whole. An attempt that is due stays due: only it starts loading again. */
  private came(download: Download): void {
    if (!this.failing.comes(download)) return;
    this.attempts = 0;
    if (!this.troubled || this.stopped) return;
    this.troubled = false;
    this.listener.problem(undefined);
  }

  private report(problem: Problem): void {
    this.troubled = true;
    if (this.stopped) this.telling?.reports.does('f');
    this.listener.problem(problem);
  }

  private failed(data: ErrorData): void {
    const network = data.type === Hls.ErrorTypes.NETWORK_ERROR;
    const status = data.response?.code ?? 0;
    if (network) note(data.url ?? data.frag?.url ?? '', data.networkDetails);
    const kind = network ? 'network' : data.type === Hls.ErrorTypes.MEDIA_ERROR ? 'media' : 'other';
    this.listener.error({ kind, detail: data.details, status, fatal: data.fatal });
    if (network) this.networkFailed(data, status);
    else if (data.fatal) this.decoderFailed(data);
  }

  private networkFailed(data: ErrorData, status: number): void {
    // hls.js itself gave this download up for another.
    if (data.details === Hls.ErrorDetails.INTERNAL_ABORTED && !data.fatal) return;
    this.telling?.reports.answered(data.frag?.url ?? '', status);
    const failures = this.failing.fails(downloadOf(data));
    const trouble = troubleBehind(data, status);
    if (!data.fatal) {
      // Offline, hls.js does not fail again: it waits for as long as it takes.
      if (data.reason === 'offline' || failures > QUIET_FAILURES) this.report({ kind: 'network', trouble, retryInMs: 0 });
      return;
    }
    this.next.cancel();
    const waiting = data.details === Hls.ErrorDetails.MANIFEST_LOAD_ERROR && parseWaiting(status, bodyOf(data.networkDetails));
    if (waiting) return this.waits(waiting);
    if (trouble === 'missing' || this.attempts >= MAX_ATTEMPTS) {
      this.stopped = true;
      this.report({ kind: 'network', trouble, retryInMs: null });
      return;
    }
    const wait = waitBefore(this.attempts, Math.random(), retryAfter(retryAfterHeader(data.networkDetails)));
    this.attempts += 1;
    this.next.set(wait, () => this.resume());
    this.report({ kind: 'network', trouble, retryInMs: wait });
  }

  /** Not a failure: waiting may take as long as the line is. */
  private waits(waiting: Waiting): void {
    this.attempts = 0;
    this.ticket = waiting.ticket;
    this.next.set(Math.min(waiting.waitMs, LONGEST_WAIT_MS), () => this.resume());
    this.report({ kind: 'waiting', waiting, retryInMs: waiting.waitMs });
  }

  private decoderFailed(data: ErrorData): void {
    const now = performance.now();
    const playable = data.details !== Hls.ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR;
    const remedy = playable ? mediaRemedy(this.decoderFailures, now) : 'stop';
    this.decoderFailures.push(now);
    // A device that says it decodes AV1 and does not: all over again with what every device decodes.
    const failing = this.hls.levels[this.hls.currentLevel] ?? this.hls.levels[this.hls.loadLevel];
    if (playable && remedy !== 'recover' && this.av1Works && isAv1(failing?.videoCodec ?? '')) {
      this.av1Works = false;
      this.decoderFailures.length = 0;
      this.next.set(0, () => this.rebuild());
    } else if (remedy === 'recover') this.hls.recoverMediaError();
    // hls.js is in the middle of telling its own parts about this error: it is taken down after that.
    else if (remedy === 'rebuild') this.next.set(0, () => this.rebuild());
    else {
      this.stopped = true;
      this.hls.stopLoad();
      this.report({ kind: 'decoder' });
    }
  }

  /** Nothing comes, nothing fails and nothing is asked for: all over again from here. */
  private stoodStill(): void {
    this.listener.error({ kind: 'other', detail: 'standstill', status: 0, fatal: false });
    const at = this.video.currentTime;
    this.standstills = Math.abs(at - this.stoodAt) < ONE_PLACE_S ? this.standstills + 1 : 1;
    this.stoodAt = at;
    if (this.standstills <= MAX_STANDSTILLS) return this.rebuild();
    this.stopped = true;
    this.report({ kind: 'network', trouble: 'unreachable', retryInMs: null });
  }

  private resume(): void {
    if (this.hls.levels.length === 0) this.hls.loadSource(this.url());
    else this.hls.startLoad(this.hls.media?.currentTime || -1);
  }

  private readonly onOnline = (): void => {
    if (this.attempts === 0 || this.stopped) return;
    this.next.set(waitAfterOnline(Math.random()), () => this.resume());
  };
}

/** Who answered, for a report. What comes from the device is nobody's answer. */
function note(url: string, details: unknown): void {
  if (details instanceof XMLHttpRequest) heard(url, details.status, (name) => details.getResponseHeader(name));
}

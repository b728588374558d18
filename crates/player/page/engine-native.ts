/** Playing through the system's own HLS, on iPhones and others that have no Media Source Extensions. */

import { comeAgain, LONGEST_WAIT_MS } from './admission';
import { Alarm } from './alarm';
import type { Engine, EngineListener, Source } from './engine';
import { CHAPTERS, hasPictures, packageIn, type Mode } from './mode';
import { askPointer } from './pointer';
import { MAX_ATTEMPTS, waitAfterOnline, waitBefore } from './recovery';

export function nativeEngine(video: HTMLVideoElement, source: Source, listener: EngineListener): Engine {
  return new NativeEngine(video, source, listener);
}

class NativeEngine implements Engine {
  readonly name = 'native';
  private attempts = 0;
  private gone = false;
  /** The next attempt. */
  private readonly next = new Alarm();
  private resumeAt: number;
  /** The place in line that was given; empty where there is none. */
  private ticket = '';
  private mode: Mode;
  /** The package's folder, as soon as it is known. */
  private folder: string | undefined;
  /** MPEG-TS, for systems that do not know fMP4: tried when nothing else was ever played. */
  private transportStream = false;
  private played = false;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly source: Source,
    private readonly listener: EngineListener,
  ) {
    this.resumeAt = source.startAt;
    this.mode = source.mode;
    video.addEventListener('loadedmetadata', this.onMetadata);
    video.addEventListener('playing', this.onPlaying);
    video.addEventListener('error', this.onError);
    window.addEventListener('online', this.onOnline);
    if (hasPictures(source.mode)) video.src = source.url;
    void this.findPackage();
  }

  take(mode: Mode): void {
    const before = this.mode;
    this.mode = mode;
    if (hasPictures(before) !== hasPictures(mode)) this.load(this.url());
  }

  /** The system chooses. */
  choose(): void {}

  /** The system decides how far ahead it buffers. */
  watching(): void {}

  retry(): void {
    this.load(this.url());
  }

  private url(anyway = false): string {
    const beside = !hasPictures(this.mode) ? 'audio.m3u8' : this.transportStream ? 'ts.m3u8' : '';
    return beside && this.folder ? this.folder + beside : comeAgain(this.source.url, this.ticket, anyway);
  }

  goOn(): void {
    this.load(this.url(true));
  }

  private load(url: string): void {
    this.next.cancel();
    const playing = !this.video.paused;
    this.resumeAt = this.video.currentTime || this.resumeAt;
    this.video.src = url;
    this.video.load();
    if (playing) this.video.play().catch(() => undefined);
  }

  destroy(): void {
    this.gone = true;
    this.next.cancel();
    this.video.removeEventListener('loadedmetadata', this.onMetadata);
    this.video.removeEventListener('playing', this.onPlaying);
    this.video.removeEventListener('error', this.onError);
    window.removeEventListener('online', this.onOnline);
    this.video.removeAttribute('src');
    this.video.load();
  }

  private readonly onMetadata = (): void => {
    if (this.resumeAt > 0 && this.resumeAt < this.video.duration) this.video.currentTime = this.resumeAt;
  };

  private readonly onPlaying = (): void => {
    this.played = true;
    if (this.attempts === 0) return;
    this.attempts = 0;
    this.listener.problem(undefined);
  };

  private readonly onError = (): void => {
    const code = this.video.error?.code ?? 0;
    const decoder = code === MediaError.MEDIA_ERR_DECODE;
    this.listener.error({ kind: decoder ? 'media' : 'network', detail: `MediaError ${code}`, status: 0, fatal: true });
    this.resumeAt = this.video.currentTime || this.resumeAt;
    if (this.attempts >= MAX_ATTEMPTS) {
      this.listener.problem(decoder ? { kind: 'decoder' } : { kind: 'network', trouble: 'unreachable', retryInMs: null });
      return;
    }
    const wait = waitBefore(this.attempts, Math.random());
    this.attempts += 1;
    this.next.set(wait, () => this.retry());
    this.listener.problem({ kind: 'network', trouble: 'unreachable', retryInMs: wait });
    // A video does not tell what it was answered.
    if (this.video.readyState === 0) void this.askWhy();
  };

  private async askWhy(): Promise<void> {
    const answer = await askPointer(comeAgain(this.source.url, this.ticket)).catch(() => undefined);
    if (!answer || this.gone) return;
    const { waiting } = answer;
    if (!waiting) {
      this.know(answer.playlist);
      // The lesson is there and this system makes nothing of it: it may be older than fMP4.
      if (packageIn(answer.playlist) && !this.played) this.transportStream = !this.transportStream;
      return;
    }
    // To be told when one's turn is, is no failure: a long line was left after sixteen askings. One is remembered, for what was told to be
    // taken back once it plays.
    this.attempts = 1;
    this.ticket = waiting.ticket;
    this.next.set(Math.min(waiting.waitMs, LONGEST_WAIT_MS), () => this.retry());
    this.listener.problem({ kind: 'waiting', waiting, retryInMs: waiting.waitMs });
  }

  /** Where the package lies: sound, slides and other forms are beside it. */
  private async findPackage(): Promise<void> {
    const answer = await askPointer(this.source.url).catch(() => undefined);
    if (this.gone) return;
    this.know(answer?.playlist);
    // Without a package there is the lesson's own address, which says why.
    if (!hasPictures(this.mode)) this.load(this.url());
  }

  private know(pointer = ''): void {
    const folder = packageIn(pointer);
    if (!folder || folder === this.folder) return;
    this.folder = folder;
    this.listener.found(folder);
    if (__EXTRAS__ && pointer.includes(CHAPTERS)) this.listener.chapters();
  }

  private readonly onOnline = (): void => {
    if (this.attempts === 0) return;
    this.next.set(waitAfterOnline(Math.random()), () => this.retry());
  };
}

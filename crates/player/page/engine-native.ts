/** Playing through the system's own HLS, on iPhones and others that have no Media Source Extensions. */

import type { Engine, EngineListener, Source } from './engine';
import { MAX_ATTEMPTS, waitAfterOnline, waitBefore } from './recovery';

export function nativeEngine(video: HTMLVideoElement, source: Source, listener: EngineListener): Engine {
  return new NativeEngine(video, source, listener);
}

class NativeEngine implements Engine {
  readonly name = 'native';
  private attempts = 0;
  private timer = 0;
  private resumeAt: number;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly source: Source,
    private readonly listener: EngineListener,
  ) {
    this.resumeAt = source.startAt;
    video.addEventListener('loadedmetadata', this.onMetadata);
    video.addEventListener('playing', this.onPlaying);
    video.addEventListener('error', this.onError);
    window.addEventListener('online', this.onOnline);
    video.src = source.url;
  }

  /** The system chooses. */
  choose(): void {}

  /** The system decides how far ahead it buffers. */
  watching(): void {}

  retry(): void {
    window.clearTimeout(this.timer);
    const playing = !this.video.paused;
    this.resumeAt = this.video.currentTime || this.resumeAt;
    this.video.src = this.source.url;
    this.video.load();
    if (playing) this.video.play().catch(() => undefined);
  }

  destroy(): void {
    window.clearTimeout(this.timer);
    this.video.removeEventListener('loadedmetadata', this.onMetadata);
    this.video.removeEventListener('playing', this.onPlaying);
    this.video.removeEventListener('error', this.onError);
    window.removeEventListener('online', this.onOnline);
    this.video.removeAttribute('src');
    this.video.load();
  }

  private readonly onMetadata = (): void => {
    if (this.resumeAt > 0) this.video.currentTime = this.resumeAt;
  };

  private readonly onPlaying = (): void => {
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
    this.timer = window.setTimeout(() => this.retry(), wait);
    this.listener.problem({ kind: 'network', trouble: 'unreachable', retryInMs: wait });
  };

  private readonly onOnline = (): void => {
    if (this.attempts === 0) return;
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.retry(), waitAfterOnline(Math.random()));
  };
}

/** Playing through the system's own HLS, on iPhones and others that have no Media Source Extensions. */

import { ACCEPT, comeAgain, LONGEST_WAIT_MS, parseWaiting, type Waiting } from './admission';
import type { Engine, EngineListener, Source } from './engine';
import { MAX_ATTEMPTS, waitAfterOnline, waitBefore } from './recovery';

export function nativeEngine(video: HTMLVideoElement, source: Source, listener: EngineListener): Engine {
  return new NativeEngine(video, source, listener);
}

class NativeEngine implements Engine {
  readonly name = 'native';
  private attempts = 0;
  private gone = false;
  private timer = 0;
  private resumeAt: number;
  /** The place in line that was given; empty where there is none. */
  private ticket = '';

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
    this.load(comeAgain(this.source.url, this.ticket));
  }

  goOn(): void {
    this.load(comeAgain(this.source.url, this.ticket, true));
  }

  private load(url: string): void {
    window.clearTimeout(this.timer);
    const playing = !this.video.paused;
    this.resumeAt = this.video.currentTime || this.resumeAt;
    this.video.src = url;
    this.video.load();
    if (playing) this.video.play().catch(() => undefined);
  }

  destroy(): void {
    this.gone = true;
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
    // A video does not tell what it was answered.
    if (this.video.readyState === 0) void this.askWhy();
  };

  private async askWhy(): Promise<void> {
    const waiting = await told(comeAgain(this.source.url, this.ticket)).catch(() => undefined);
    if (!waiting || this.gone) return;
    window.clearTimeout(this.timer);
    this.ticket = waiting.ticket;
    this.timer = window.setTimeout(() => this.retry(), Math.min(waiting.waitMs, LONGEST_WAIT_MS));
    this.listener.problem({ kind: 'waiting', waiting, retryInMs: waiting.waitMs });
  }

  private readonly onOnline = (): void => {
    if (this.attempts === 0) return;
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.retry(), waitAfterOnline(Math.random()));
  };
}

/** How long the question may take, in milliseconds. */
const PATIENCE_MS = 15_000;

/** What the lesson's address says to who may not begin yet. */
async function told(url: string): Promise<Waiting | undefined> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE_MS);
  try {
    const answer = await fetch(url, { headers: { Accept: ACCEPT }, credentials: 'omit', referrerPolicy: 'no-referrer', signal: stop.signal });
    return answer.ok ? undefined : parseWaiting(answer.status, await answer.text());
  } finally {
    clearTimeout(timer);
  }
}

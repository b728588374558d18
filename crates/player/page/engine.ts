/** What plays a lesson: hls.js where Media Source Extensions are, the system's own HLS elsewhere. */

// What both engines begin with comes with the page: asked for by the engine's own script it would come a round trip later.
import './admission';
import type { Waiting } from './admission';
import { early } from './early';
import type { Mode } from './mode';
import type { Bundle } from './offline/loader';
import type { Trouble } from './recovery';
import type { Level, LoggedError } from './state';

declare global {
  /** Whether this script has room for subtitles, chapters and small pictures on the bar; put in by the build. */
  const __EXTRAS__: boolean;
}

export interface Engine {
  readonly name: 'hls.js' | 'native';
  /** Fixes a rung by its index, or lets the engine choose (null). */
  choose(index: number | null): void;
  /** Fetches other things from here on. */
  take(mode: Mode): void;
  /** Buffer far ahead from now on: somebody is watching. */
  watching(): void;
  /** Try again at once, whatever the waits say. */
  retry(): void;
  /** Ask to begin before the slot. */
  goOn(): void;
  destroy(): void;
}

/** Why playing needs attention. */
export type Problem =
  /** Cannot be fetched. `retryInMs` until the engine asks again by itself; null when it does not. */
  | { kind: 'network'; trouble: Trouble; retryInMs: number | null }
  /** It opens later, or others begin before: in `retryInMs`, and the engine asks again by itself, with the place that it has. */
  | { kind: 'waiting'; waiting: Waiting; retryInMs: number }
  /** Cannot be decoded, also after starting over. */
  | { kind: 'decoder' }
  /** Nothing here can play HLS. */
  | { kind: 'unsupported' };

/** Subtitles in one language. */
export interface Subtitle {
  /** As the playlist calls them. */
  name: string;
  /** BCP 47; they lie in the package by it. */
  lang?: string;
}

/** What an engine reports. */
export interface EngineListener {
  levels(levels: readonly Level[]): void;
  /** The rung on screen, and the index of the one chosen by hand. */
  level(level: Level | null, chosen: number | null): void;
  /** Where the lesson's package lies: its folder, with a slash at the end. */
  found(folder: string): void;
  /** What subtitles the lesson has; told again with each reading of its playlist. The system's own HLS offers them itself. */
  subtitles(offered: readonly Subtitle[]): void;
  /** The lesson has chapters; told again in the same way. */
  chapters(): void;
  /** A problem; undefined when it is over. */
  problem(problem: Problem | undefined): void;
  error(error: Omit<LoggedError, 'at'>): void;
}

export interface Source {
  /** The lesson's multivariant playlist. */
  url: string;
  /** Seconds to start at; zero for the beginning. */
  startAt: number;
  /** What is fetched. */
  mode: Mode;
  /** Where the lesson lies on the device; it is asked of nobody then. */
  bundle?: Bundle | undefined;
  /** The place in line that was given already; empty where there is none. */
  ticket?: string | undefined;
}

/** The engine for this browser; reports `unsupported` itself where there is none. */
export async function openEngine(video: HTMLVideoElement, source: Source, listener: EngineListener): Promise<Engine | undefined> {
  if (hasMediaSource()) {
    // A chunk of its own: the list appears without waiting for it.
    const { hlsEngine } = await early(import('./engine-hls'), source);
    const engine = hlsEngine(video, source, listener);
    if (engine) return engine;
  }
  // The system's own player takes nothing from a page's hands.
  if (!source.bundle && video.canPlayType('application/vnd.apple.mpegurl')) {
    const { nativeEngine } = await import('./engine-native');
    return nativeEngine(video, source, listener);
  }
  listener.problem({ kind: 'unsupported' });
  return undefined;
}

/** Fetches the engine's script ahead of need. */
export function warmEngine(): void {
  if (hasMediaSource()) import('./engine-hls').catch(() => undefined);
}

function hasMediaSource(): boolean {
  return 'MediaSource' in window || 'ManagedMediaSource' in window;
}

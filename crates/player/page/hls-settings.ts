/** hls.js's settings for weak lines and a huge synchronised crowd. */

import type { HlsConfig } from 'hls.js';
import { Abreast } from './abreast';

/** Seconds kept downloaded ahead while somebody watches: outlives the cuts of a village line. */
export const AHEAD_S = 90;

/** The same where data is to be saved: what is left unwatched was paid for. */
export const AHEAD_SAVING_S = 30;

/** Seconds downloaded ahead before anybody has pressed play: enough to start at once, little to waste. */
const AHEAD_UNWATCHED_S = 12;

/** On low rungs the buffer may grow beyond AHEAD_S until it holds this many bytes: there a minute costs next to nothing. */
export const AHEAD_BYTES = 8 * 1000 * 1000;

/** But never further ahead than this, in seconds: what is never watched has been paid for in vain. */
const AHEAD_LONGEST_S = 300;

/** Seconds kept behind the position, for looking at something again without downloading it again. */
const BEHIND_S = 60;

/** Screens denser than this do not get a higher rung for it: nobody sees the difference, everybody pays. */
const MAX_PIXEL_RATIO = 2;

/** First guess of the line, in bits per second, before the first segment has measured it. */
const FIRST_GUESS_BPS = 400_000;

const RETRY = {
  errorRetry: { maxNumRetry: 2, retryDelayMs: 700, maxRetryDelayMs: 4_000, backoff: 'exponential' as const },
  timeoutRetry: { maxNumRetry: 2, retryDelayMs: 500, maxRetryDelayMs: 4_000, backoff: 'exponential' as const },
};

export const CONFIG: Partial<HlsConfig> = {
  streamController: Abreast,
  enableWorker: false,
  // Starts on the lowest rung: a picture at once on every line, and the first segment measures it.
  startLevel: 0,
  testBandwidth: false,
  abrEwmaDefaultEstimate: FIRST_GUESS_BPS,
  capLevelToPlayerSize: true,
  maxDevicePixelRatio: MAX_PIXEL_RATIO,
  // A device that drops pictures is given a smaller one.
  capLevelOnFPSDrop: true,
  maxBufferLength: AHEAD_UNWATCHED_S,
  maxBufferSize: 0,
  maxMaxBufferLength: AHEAD_LONGEST_S,
  backBufferLength: BEHIND_S,
  // A few quick tries by hls.js; longer outages are ours, with waits that differ from pupil to pupil.
  // But who is told to wait is given a place with each try: that is read after the first.
  manifestLoadPolicy: {
    default: {
      maxTimeToFirstByteMs: 15_000,
      maxLoadTimeMs: 30_000,
      ...RETRY,
      errorRetry: { ...RETRY.errorRetry, shouldRetry: (_config, _count, _timeout, response, retry) => retry && response?.code !== 503 },
    },
  },
  playlistLoadPolicy: { default: { maxTimeToFirstByteMs: 15_000, maxLoadTimeMs: 30_000, ...RETRY } },
  fragLoadPolicy: { default: { maxTimeToFirstByteMs: 15_000, maxLoadTimeMs: 120_000, ...RETRY } },
};

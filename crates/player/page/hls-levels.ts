/** A lesson's rungs as hls.js has them. */

import type Hls from 'hls.js';
import { needless } from './rungs';
import type { Level } from './state';

export function levelsOf(hls: Hls): Level[] {
  return hls.levels.map((level, index) =>
    Object.freeze({
      index,
      width: level.width,
      height: level.height,
      bitRate: level.averageBitrate || level.bitrate,
      codec: level.videoCodec ?? '',
    }),
  );
}

/**
 * Takes out the rungs that nobody needs, before any of them is loaded, and lets what is left be one ladder; `av1` is whether this device
 * decodes that.
 *
 * hls.js never changes formats by itself: it would stay with the one it starts on. Every browser that decodes AV1 also
 * changes formats within a source buffer, so the small rungs in H.264 and the larger ones in AV1 may follow each other.
 */
export function thinOut(hls: Hls, av1: boolean): void {
  for (const place of needless(levelsOf(hls), av1).reverse()) hls.removeLevel(place);
  for (const level of hls.levels) Object.assign(level, { codecSet: 'lesson' });
}

/** Pictures and sound come side by side: neither is of use without the other. */

import Hls from 'hls.js';
import { bufferedAhead } from './buffered';

/**
 * Neither is downloaded further ahead of the other than this, in seconds. hls.js has sound wait for pictures and pictures for nobody: where
 * sound alone does not come, they would take a weak line from it for minutes that cannot be played. Three segments outlast a rung's
 * change and one that is slow.
 */
const APART_S = 15;

/** hls.js's loading of pictures, whose limit it takes for sound, too. */
export class Abreast extends Hls.DefaultConfig.streamController {
  protected override getMaxBufferLength(bitRate?: number): number {
    const longest = super.getMaxBufferLength(bitRate);
    // What can be played is what both have.
    return this.media ? Math.min(longest, bufferedAhead(this.media) + APART_S) : longest;
  }
}

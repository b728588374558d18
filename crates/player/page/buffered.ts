/** What is downloaded ahead. */

/** Less than this downloaded ahead counts as nothing left to play, in seconds. */
const PLAYABLE_S = 0.3;

/** Nothing is left to play. */
export function isDry(video: HTMLVideoElement): boolean {
  return bufferedAhead(video) < PLAYABLE_S;
}

/** Seconds downloaded ahead of the position without a gap. */
export function bufferedAhead(video: HTMLMediaElement): number {
  const { buffered, currentTime } = video;
  for (let range = 0; range < buffered.length; range += 1) {
    // A hand's breadth of tolerance: a segment may start a frame after the position.
    if (buffered.start(range) <= currentTime + 0.1 && currentTime < buffered.end(range)) return buffered.end(range) - currentTime;
  }
  return 0;
}

/** What hls.js downloads, as a standstill is told of it. */

import Hls from 'hls.js';
import type { Standstill } from './standstill';

export function tellStandstill(hls: Hls, standstill: Standstill): void {
  const { Events } = Hls;
  standstill.restarts();
  for (const event of [Events.MANIFEST_LOADING, Events.LEVEL_LOADING, Events.AUDIO_TRACK_LOADING] as const) hls.on(event, () => standstill.begins());
  hls.on(Events.FRAG_LOADING, (_, { frag }) => standstill.begins(frag.type));
  hls.on(Events.FRAG_LOADED, (_, { frag }) => standstill.ends(frag.type));
  hls.on(Events.FRAG_LOAD_EMERGENCY_ABORTED, (_, { frag }) => standstill.ends(frag.type));
  hls.on(Events.ERROR, (_, { frag }) => standstill.ends(frag?.type));
}

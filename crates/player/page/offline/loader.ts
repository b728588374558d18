/** What hls.js loads a lesson by that lies on the device: out of its bundle instead of from the network. */

import type { Loader, LoaderCallbacks, LoaderConfiguration, LoaderContext, LoaderStats } from 'hls.js';
import type { Source } from './pieces';
import type { Member } from './tar';

/** A bundle that was opened. */
export interface Bundle {
  file: Source;
  members: Map<string, Member>;
}

/** Where a bundle's members seem to lie, so that its playlists' relative addresses mean something. Nothing is ever asked of it. */
const FOLDER = '/kept/';

/** The bundle's playlist, as an address. */
export function playlistOf(): string {
  return `${location.origin}${FOLDER}lesson.m3u8`;
}

/** A loader class over one bundle. */
export function loaderOf(bundle: Bundle): new () => Loader<LoaderContext> {
  return class implements Loader<LoaderContext> {
    context: LoaderContext | null = null;
    stats: LoaderStats = {
      aborted: false, loaded: 0, retry: 0, total: 0, chunkCount: 0, bwEstimate: 0,
      loading: { start: 0, first: 0, end: 0 }, parsing: { start: 0, end: 0 }, buffering: { start: 0, first: 0, end: 0 },
    };
    private gone = false;

    load(context: LoaderContext, _: LoaderConfiguration, callbacks: LoaderCallbacks<LoaderContext>): void {
      const { stats } = this;
      this.context = context;
      stats.loading.start = performance.now();
      const path = new URL(context.url).pathname;
      const member = path.startsWith(FOLDER) ? bundle.members.get(path.slice(FOLDER.length)) : undefined;
      const missing = (): void => callbacks.onError({ code: 404, text: 'not in the bundle' }, context, null, stats);
      if (!member) return void setTimeout(() => this.gone || missing());
      const from = context.rangeStart ?? 0;
      const to = Math.min(context.rangeEnd || member.bytes, member.bytes);
      bundle.file.read(member.at + from, member.at + to).then(
        (bytes) => {
          if (this.gone) return;
          // The lesson was deleted from the device meanwhile.
          if (!bytes) return missing();
          stats.loading.first = stats.loading.end = performance.now();
          stats.loaded = stats.total = bytes.byteLength;
          const data = context.responseType === 'arraybuffer' ? bytes : textOf(bytes);
          callbacks.onSuccess({ url: context.url, data, code: 200 }, stats, context, null);
        },
        () => this.gone || callbacks.onError({ code: 0, text: 'cannot be read' }, context, null, stats),
      );
    }

    abort(): void {
      this.gone = true;
      this.stats.aborted = true;
    }

    destroy(): void {
      this.gone = true;
    }
  };
}

/** Playlists are ASCII. */
function textOf(bytes: ArrayBuffer): string {
  return new TextDecoder().decode(bytes);
}

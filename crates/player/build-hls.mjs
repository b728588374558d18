// hls.js, built from the sources in its npm package with only the parts that our lessons need.
//
// hls.js is made to be built this way: each optional part stands behind a __USE_…__ constant, and its own light and full
// builds differ only in these. The ready-made light build lacks alternate audio, which our packages need; the full one
// carries DRM, captions in five formats, interstitial advertisements and steering, a third of its weight, which
// a pupil on a slow line would wait for and never use. A part that becomes needed is switched on here.

import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const PARTS = {
  ALT_AUDIO: true, // sound is a rendition of its own: EXT-X-MEDIA with TYPE=AUDIO
  MEDIA_CAPABILITIES: true, // rungs that the device cannot decode smoothly are left out
  SUBTITLES: false,
  EME_DRM: false,
  CMCD: false,
  CONTENT_STEERING: false,
  VARIABLE_SUBSTITUTION: false,
  M2TS_ADVANCED_CODECS: false,
  INTERSTITIALS: false,
  IFRAMES: false,
};

/** Modules that only the parts switched off above use. */
const LEFT_OUT = {
  EME_DRM: ['eme-controller'],
  SUBTITLES: [
    'subtitle-stream-controller', 'subtitle-track-controller', 'timeline-controller',
    'imsc1-ttml-parser', 'webvtt-parser', 'cea-608-parser', 'cues',
  ],
  CMCD: ['cmcd-controller'],
  CONTENT_STEERING: ['content-steering-controller'],
  INTERSTITIALS: ['interstitials-controller'],
  IFRAMES: ['iframe-stream-controller', 'iframe-controller'],
  VARIABLE_SUBSTITUTION: ['variable-substitution'],
  M2TS_ADVANCED_CODECS: ['hevc-video-parser', 'ac3-demuxer'],
};

const leftOut = new Set(Object.entries(LEFT_OUT).flatMap(([part, modules]) => (PARTS[part] ? [] : modules)));

/**
 * Modules behind no constant that lessons never need, and what stands in their place. hls.js asks each form of media whether it is its own:
 * ours is fMP4 in the clear, so the others need only say no. (MPEG-TS is for devices without Media Source Extensions.)
 */
const NEVER = 'export default class { static probe() { return false; } }';
const STAND_INS = {
  // Only the transmuxer makes one; the passthrough remuxer takes a function from the same file.
  'mp4-remuxer': { from: 'transmuxer.ts', contents: NEVER },
  'mp4-generator': { contents: 'export default undefined' },
  tsdemuxer: { contents: NEVER },
  aacdemuxer: { contents: NEVER },
  mp3demuxer: { contents: NEVER },
  // Encrypted media: a package has none.
  'key-loader': { contents: 'export default class { abort() {} destroy() {} load() { return Promise.reject(new Error("encrypted")); } loadClear() { return null; } }' },
  decrypter: { contents: 'export default class { destroy() {} reset() {} flush() {} decrypt() { return Promise.reject(new Error("encrypted")); } }' },
  // Timed metadata and live television's distance from the edge: a lesson has neither.
  'id3-track-controller': { contents: 'export default undefined' },
  'latency-controller': { contents: 'export default undefined' },
  'date-range': { contents: 'export class DateRange {}; export function isDateRangeCueAttribute() { return false; } export function isSCTE35Attribute() { return false; }' },
  // Segments are taken whole, by XMLHttpRequest.
  'fetch-loader': { contents: 'export default undefined; export function fetchSupported() { return false; }' },
};

/**
 * What is wrong in hls.js 1.7.4, by file: text as it is, and as it has to be. A build whose hls.js reads otherwise fails: then it is to be
 * looked at whether that is mended.
 *
 * The end of what was given up for a newer request comes after that request has begun, and was taken for its end: the newer one was given
 * up, too, asked for again at the next tick of 100 ms, and so on for ever on a line that takes longer. It began where the rung of the sound
 * changed to and fro while its init segment was on its way.
 */
const MENDS = {
  'base-stream-controller.ts': [
    [
      "if ('data' in reason) {\n          this.fragmentLoader.abort();",
      "if (initSegment.loader || this.fragCurrent !== mediaFrag) throw reason;\n if ('data' in reason) {\n          this.fragmentLoader.abort();",
    ],
    [
      'resetFragmentLoading(frag: Fragment) {\n    if (this.state === State.STOPPED) {',
      'resetFragmentLoading(frag: Fragment) {\n    if (this.state === State.STOPPED || (this.state === State.FRAG_LOADING && this.fragCurrent?.loader)) {',
    ],
  ],
};

function mended(name, text) {
  return (MENDS[name] ?? []).reduce((now, [wrong, right]) => {
    if (!now.includes(wrong)) throw new Error(`${name} of hls.js is not as it was: see MENDS`);
    return now.replace(wrong, () => right);
  }, text);
}

/** What hls.js tells a developer with `debug` on: a tenth of the script, and nobody reads it on a phone. */
const TALK = /\b((?:this\.)?(?:hls\.)?(?:logger\??\.(?:log|debug|info|warn|error)|(?<=this\.)(?:log|warn))\()/g;

export const hls = {
  /** The constants of hls.js's own build. */
  define(root) {
    const { version } = JSON.parse(readFileSync(join(root, 'node_modules/hls.js/package.json'), 'utf8'));
    const constants = {
      __VERSION__: JSON.stringify(version),
      // fMP4 passes through almost untouched; a worker would cost a second script and gain nothing.
      __IN_WORKER__: 'false',
      __HLS_WORKER_BUNDLE__: 'undefined',
    };
    for (const [part, used] of Object.entries(PARTS)) constants[`__USE_${part}__`] = String(used);
    return constants;
  },

  /** `import Hls from 'hls.js'` means our build of its sources. */
  plugin(root) {
    const sources = join(root, 'node_modules/hls.js/src');
    return {
      name: 'hls.js',
      setup(build) {
        build.onResolve({ filter: /^hls\.js$/ }, () => ({ path: join(sources, 'exports-default.ts') }));
        build.onResolve({ filter: /^\.{1,2}\// }, ({ path, importer }) => {
          const name = path.slice(path.lastIndexOf('/') + 1);
          return importer.startsWith(sources) && leftOut.has(name) ? { path: name, namespace: 'left-out' } : undefined;
        });
        build.onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({ contents: 'module.exports = {};', loader: 'js' }));
        build.onResolve({ filter: /^\.{1,2}\// }, ({ path, importer }) => {
          const name = path.slice(path.lastIndexOf('/') + 1);
          const standIn = importer.startsWith(sources) && Object.hasOwn(STAND_INS, name) && STAND_INS[name];
          return standIn && importer.endsWith(standIn.from ?? '') ? { path: name, namespace: 'stand-in', sideEffects: false } : undefined;
        });
        build.onLoad({ filter: /.*/, namespace: 'stand-in' }, ({ path }) => ({ contents: STAND_INS[path].contents, loader: 'js' }));
        build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
          if (!path.startsWith(sources)) return undefined;
          return { contents: mended(basename(path), readFileSync(path, 'utf8')).replace(TALK, 'false && $1'), loader: 'ts' };
        });
      },
    };
  },
};

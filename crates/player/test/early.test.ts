import assert from 'node:assert/strict';
import test from 'node:test';
import { lowestOf } from '../page/pointer';

const SOUND = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="lo",NAME="x",CHANNELS="1",URI="../p/audio/lo/index.m3u8"';
const CAPTIONS = '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="lo",URI="../p/words.m3u8"';
const rung = (rate: number, more: string, path: string): string[] => [`#EXT-X-STREAM-INF:AVERAGE-BANDWIDTH=1,BANDWIDTH=${rate},${more}CLOSED-CAPTIONS=NONE`, path];

test('what the lowest rung begins with is found wherever it stands', () => {
  const high = rung(300_000, 'AUDIO="hi",', 'high.m3u8');
  const low = rung(50_000, 'AUDIO="lo",', 'low.m3u8');
  const tables: [string, string[], string[]][] = [
    ['the highest first, as packages have it', [SOUND, ...high, ...low], ['low.m3u8', '../p/audio/lo/index.m3u8']],
    ['sound behind the rungs, and other media of the same group', [CAPTIONS, ...low, ...high, SOUND], ['low.m3u8', '../p/audio/lo/index.m3u8']],
    ['sound in the rung itself', rung(50_000, '', 'muxed.m3u8'), ['muxed.m3u8']],
    ['a group that is not there', low, ['low.m3u8']],
    ['a rung without an address', ['#EXT-X-STREAM-INF:BANDWIDTH=5'], []],
    ['pictures of a search alone', ['#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=5,URI="iframes.m3u8"'], []],
    ['nothing', [], []],
  ];
  for (const [name, lines, expected] of tables) {
    assert.deepEqual(lowestOf(['#EXTM3U', ...lines, ''].join('\n')), expected, name);
    assert.deepEqual(lowestOf(['#EXTM3U', ...lines, ''].join('\r\n')), expected, `${name}, by lines of another system`);
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindOf, Session } from '../page/cmcd';

const PACKAGE = '/p/0123456789abcdef0123456789abcdef01234567';
const ASKED = { kind: 'v' as const, bitRate: 52_300, throughput: 412_345, buffered: 12.34, alone: false };

test('segments alone tell of the player', () => {
  for (const [url, kind] of [
    [`${PACKAGE}/s0/00000.m4s`, 'v'], [`${PACKAGE}/a4/00017.m4s`, 'v'], [`${PACKAGE}/audio/lo/00017.m4s`, 'a'],
    [`${PACKAGE}/s0/init.mp4`, undefined], [`${PACKAGE}/s0/index.m3u8`, undefined], ['/lessons/a/main.m3u8', undefined],
    [`${PACKAGE}/s0/00000.m4s?x`, undefined],
  ] as const) {
    assert.equal(kindOf(`https://a${url}`), kind, url);
  }
});

test('numbers are rounded, and a start is told once', () => {
  const session = new Session('ab12');
  session.wants(100);
  assert.deepEqual(session.fields(ASKED, 200), {
    'CMCD-Object': 'br=(52;v),d=4800,ot=v',
    'CMCD-Request': 'bl=(12300;v),mtp=(400;v),su',
    'CMCD-Session': 'sf=h,sid="ab12",st=v,v=2',
  });
  session.plays(1_600);
  assert.equal(session.fields(ASKED, 1_700)['CMCD-Session'], 'msd=1500,sf=h,sid="ab12",st=v,v=2');
  assert.equal(session.fields(ASKED, 1_800)['CMCD-Session'], 'sf=h,sid="ab12",st=v,v=2');
  assert.equal(session.fields({ ...ASKED, kind: 'a', bitRate: 0, throughput: 0, alone: true }, 1_900)['CMCD-Request'], 'bl=(12300;a),com.airclass-alone');
});

test('each moment of standing still is told once, also while it lasts', () => {
  const session = new Session('a');
  session.stands(10);
  assert.equal(session.fields(ASKED, 20)['CMCD-Status'], undefined, 'before the start nothing stands still');
  session.wants(20);
  session.plays(30);
  session.stands(1_000);
  assert.equal(session.fields(ASKED, 1_400)['CMCD-Status'], 'bs,bsd=(400;v)');
  assert.equal(session.fields(ASKED, 1_500)['CMCD-Status'], 'bsd=(100;v)');
  session.plays(1_700);
  assert.equal(session.fields(ASKED, 9_000)['CMCD-Status'], 'bsd=(200;v)');
  assert.equal(session.fields(ASKED, 9_100)['CMCD-Status'], undefined);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAv1, needless, type Offer } from '../page/rungs';

const h264 = (height: number, bitRate: number): Offer => ({ height, bitRate, codec: 'avc1.64001f' });
const av1 = (height: number, bitRate: number): Offer => ({ height, bitRate, codec: 'av01.0.05M.08' });

/** The rungs that are left, as `height codec`. */
const left = (offers: Offer[], wanted: boolean) => {
  const gone = needless(offers, wanted);
  return offers.filter((_, place) => !gone.includes(place)).map(({ height, codec }) => `${height}${isAv1(codec) ? 'a' : 's'}`);
};

test('where AV1 is decoded its twins fall away, and what costs more than a larger picture', () => {
  const offers = [h264(144, 50), h264(234, 100), h264(360, 120), av1(360, 95), h264(720, 170), av1(720, 120), h264(1080, 240), av1(1080, 145)];
  assert.deepEqual(left(offers, true), ['144s', '360a', '720a', '1080a']);
  assert.deepEqual(left(offers, false), ['144s', '234s', '360s', '720s', '1080s']);
});

test('a lesson without AV1 keeps its ladder', () => {
  const offers = [h264(144, 50), h264(234, 100), h264(360, 120), h264(1080, 240)];
  assert.deepEqual(needless(offers, true), []);
});

test('an AV1 rung that saves nothing is not taken', () => {
  assert.deepEqual(left([h264(144, 40), h264(360, 90), av1(360, 95), h264(540, 100), av1(540, 99)], true), ['144s', '360s', '540a']);
});

test('of two equal rungs one stays', () => {
  assert.deepEqual(left([h264(360, 90), h264(360, 90)], true), ['360s']);
});

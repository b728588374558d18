import assert from 'node:assert/strict';
import { test } from 'node:test';
import { due, fetchBundle, judge, nextTry, PART_BYTES, tonight } from '../page/offline/fetching';
import type { Kept, Shelf } from '../page/offline/shelf';
import type { Source } from '../page/offline/pieces';
import { parseHeader, readTar } from '../page/offline/tar';
import { hearTime } from '../page/time';

function header(name: string, size: string, change: (block: Uint8Array) => void = () => undefined): Uint8Array {
  const block = new Uint8Array(512);
  const put = (text: string, at: number) => block.set([...text].map((letter) => letter.charCodeAt(0)), at);
  put(name, 0);
  put(size, 124);
  put('0', 156);
  put('ustar', 257);
  change(block);
  return block;
}

test('members are found by their headers', () => {
  assert.deepEqual(parseHeader(header('s2/00017.m4s', '00000000144\0')), { name: 's2/00017.m4s', bytes: 100, isFile: true });
  assert.deepEqual(parseHeader(header('subs', '0', (block) => (block[156] = 0x35))), { name: 'subs', bytes: 0, isFile: false });
});

test('what is no header, or leads elsewhere, is refused', () => {
  for (const name of ['../x', '/etc/x', 'a/../../x', '.hidden', 'a/.b', '', 'a\\b']) assert.equal(parseHeader(header(name, '1')), undefined, name);
  for (const size of ['', '9', '-1', 'x']) assert.equal(parseHeader(header('a', size)), undefined, size);
  assert.equal(parseHeader(new Uint8Array(512).fill(7)), undefined);
});

/** A file that was cut off where a member ended was opened as a lesson, and asked for what it lacked again and again. */
test('a file that is broken off is none, wherever that is', async () => {
  const member = (name: string, bytes: number): number[] => [...header(name, bytes.toString(8)), ...new Uint8Array(Math.ceil(bytes / 512) * 512).fill(1, 0, bytes)];
  const whole = new Uint8Array([...member('lesson.m3u8', 100), ...member('s2/index.m3u8', 512), ...new Uint8Array(1024)]);
  const read = (size: number) => {
    const source: Source = { size, read: (from, to) => Promise.resolve(whole.slice(from, to).buffer) };
    return readTar(source);
  };
  assert.deepEqual([...(await read(whole.length))!.keys()], ['lesson.m3u8', 's2/index.m3u8']);
  // One of the two empty blocks is enough.
  const end = whole.length - 512;
  assert.equal((await read(end))?.size, 2);
  for (let size = 0; size < end; size += 1) assert.equal(await read(size), undefined, `${size} of ${whole.length}`);
});

/** By the clock of China. */
const at = (hour: number, minute = 0, day = 3): Date => new Date(Date.UTC(2026, 2, day, hour - 8, minute));

test('the night is the coming one, or what is left of this one, by the clock of China', () => {
  assert.deepEqual(tonight(at(20), 0), at(0, 30, 4));
  assert.deepEqual(tonight(at(20), 0.5), at(3, 0, 4));
  assert.deepEqual(tonight(at(0, 10), 0), at(0, 30));
  assert.deepEqual(tonight(at(3), 0), at(3));
  assert.deepEqual(tonight(at(5, 30), 0), at(0, 30, 4));
  // A phone set to another zone fetched in the middle of lessons.
  process.env.TZ = 'America/New_York';
  assert.deepEqual(tonight(at(20), 0), at(0, 30, 4));
});

test('what was wished for a night that was slept through waits for the next', () => {
  const wanted = at(2).getTime();
  const rows: [string, number, Date, number][] = [
    ['it is not time yet', wanted, at(1), wanted],
    ['it is time', wanted, at(2), wanted],
    ['the device woke in the same night', wanted, at(4), wanted],
    ['or in another', wanted, at(3, 0, 5), wanted],
    ['it woke in the morning', wanted, at(7, 40), at(0, 30, 4).getTime()],
    ['or days later', wanted, at(12, 0, 6), at(0, 30, 7).getTime()],
    ['it was wished for at once', 0, at(12), 0],
  ];
  for (const [what, wish, now, when] of rows) assert.equal(due(wish, now, 0), when, what);
});

test('what breaks off at night is tried again in the same night, and then in the next', () => {
  const wanted = at(1).getTime();
  const rows: [string, Parameters<typeof nextTry>, Date | undefined][] = [
    ['the line is gone', ['unreachable', wanted, at(2), 0], at(2, 15)],
    ['not everybody comes back at once', ['unreachable', wanted, at(2), 0.999_999], at(2, 29)],
    ['it is nearly morning', ['unreachable', wanted, at(5, 20), 0], at(0, 30, 4)],
    ['it was wished for at once', ['unreachable', 0, at(2), 0], undefined],
    ['the night is over', ['morning', wanted, at(5, 30), 0], at(0, 30, 4)],
    ['no line brings it', ['missing', wanted, at(2), 0], undefined],
    ['nor is there room', ['full', wanted, at(2), 0], undefined],
  ];
  const minute = (time: number | undefined): number | undefined => time && Math.floor(time / 60_000);
  for (const [what, asked, when] of rows) assert.equal(minute(nextTry(...asked)), minute(when?.getTime()), what);
});

test('what was wished for the night ends with it, and what was wished for at once goes on', async (t) => {
  const { fetch } = globalThis;
  t.after(() => Object.assign(globalThis, { fetch }));
  const itIs = (now: Date): void => hearTime((name) => (name === 'Date' ? now.toUTCString() : null));
  const parts = 4;
  let asked = 0;
  const answer = (_: string, { headers }: { headers: { Range: string } }): Promise<Response> => {
    asked += 1;
    // The night ends while the second part is under way.
    if (asked === 2) itIs(at(5, 31));
    const [from, to] = headers.Range.slice('bytes='.length).split('-');
    const field = { 'content-range': `bytes ${from}-${to}/${parts * PART_BYTES}` };
    return Promise.resolve(new Response(new Uint8Array(PART_BYTES), { status: 206, headers: field }));
  };
  Object.assign(globalThis, { fetch: answer });
  const shelf = { write: () => Promise.resolve() } as unknown as Shelf;
  const run = async (notBefore: number): Promise<[string, number]> => {
    asked = 0;
    itIs(at(5, 20));
    const kept: Kept = { id: 'x', title: 'x', folder: '/p/x/', total: 0, received: 0, parts: 0, notBefore, done: false };
    let received = 0;
    const ended = await fetchBundle(shelf, kept, new AbortController().signal, (now) => (received = now.received));
    return [ended, received / PART_BYTES];
  };
  assert.deepEqual(await run(at(2).getTime()), ['morning', 2]);
  assert.deepEqual(await run(0), ['done', parts]);
});

test('only the very next bytes are taken', () => {
  assert.deepEqual(judge(206, 'bytes 0-524287/18022912', 0), { total: 18_022_912 });
  assert.equal(judge(206, 'bytes 0-524287/18022912', 524_288), 'again');
  assert.equal(judge(200, null, 0), 'again');
  assert.equal(judge(503, null, 0), 'again');
  // Not open yet: the address is shut.
  assert.equal(judge(403, null, 0), 'missing');
  assert.equal(judge(404, null, 0), 'missing');
  assert.equal(judge(206, 'bytes 0-1/99999999999', 0), 'missing');
});

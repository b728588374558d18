import assert from 'node:assert/strict';
import test from 'node:test';
import { Pieces } from '../page/offline/pieces';

/** A file of the bytes 0, 1, 2 … in pieces of these lengths, and which of them were read. */
function scene(...lengths: number[]) {
  const read: number[] = [];
  const size = lengths.reduce((sum, length) => sum + length, 0);
  const from = (piece: number): number => lengths.slice(0, piece).reduce((sum, length) => sum + length, 0);
  const file = new Pieces(size, async (piece) => {
    read.push(piece);
    return lengths[piece] === undefined ? undefined : Uint8Array.from({ length: lengths[piece] }, (_, i) => from(piece) + i).buffer;
  });
  const bytes = async (start: number, end: number): Promise<number[] | undefined> => {
    const found = await file.read(start, end);
    return found && [...new Uint8Array(found)];
  };
  return { file, read, bytes };
}

test('every stretch of a file is found, whatever its pieces are', async () => {
  const lengths = [4, 1, 7, 3];
  for (let start = 0; start <= 15; start += 1) {
    for (let end = start; end <= 15; end += 1) {
      const { bytes } = scene(...lengths);
      const wanted = Array.from({ length: end - start }, (_, i) => start + i);
      assert.deepEqual(await bytes(start, end), wanted, `${start} to ${end}, first of all`);
      await bytes(14, 15);
      assert.deepEqual(await bytes(start, end), wanted, `${start} to ${end}, when all ends are known`);
    }
  }
});

test('a piece is read again only after another', async () => {
  const { read, bytes } = scene(4, 4, 4);
  for (const at of [0, 1, 5, 6, 7]) await bytes(at, at + 1);
  assert.deepEqual(read, [0, 1]);
  await bytes(0, 1);
  assert.deepEqual(read, [0, 1, 0]);
});

test('what is read side by side is not mixed up', async () => {
  const { bytes } = scene(4, 4, 4);
  assert.deepEqual(await Promise.all([bytes(9, 11), bytes(0, 5), bytes(3, 4)]), [[9, 10], [0, 1, 2, 3, 4], [3]]);
});

test('a file that is no longer there is said so, and one that cannot be read fails', async () => {
  const { bytes } = scene(4);
  assert.equal(await bytes(2, 6), undefined);
  await assert.rejects(new Pieces(4, () => Promise.reject(new Error('lost'))).read(0, 1));
});

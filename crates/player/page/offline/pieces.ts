/** A file that lies in pieces, of which no more than one is in memory: a lesson has 150 MB, and an old phone has not. */

import { bytesOf } from './tar';

/** Bytes that are read as they are asked for. */
export interface Source {
  size: number;
  /** The bytes from one place up to another; undefined where they are no longer there. */
  read(from: number, to: number): Promise<ArrayBuffer | undefined>;
  close?(): void;
}

/** A file that somebody chose. */
export function sourceOf(file: Blob): Source {
  return { size: file.size, read: (from, to) => bytesOf(file.slice(from, to)) };
}

/** One file out of pieces, which are as long as they came. */
export class Pieces implements Source {
  /** Where each piece ends, as far as that is known: they tell it when they are read. */
  private readonly ends: number[] = [];
  private last = -1;
  private bytes: ArrayBuffer | undefined;

  constructor(
    readonly size: number,
    private readonly piece: (number: number) => Promise<ArrayBuffer | undefined>,
    readonly close: () => void = () => undefined,
  ) {}

  async read(from: number, to: number): Promise<ArrayBuffer | undefined> {
    const read = new Uint8Array(to - from);
    const { ends } = this;
    let number = ends.findIndex((end) => end > from);
    for (number = number < 0 ? ends.length : number; ; number += 1) {
      const begin = ends[number - 1] ?? 0;
      if (begin >= to) return read.buffer;
      const bytes = await this.take(number);
      if (!bytes) return undefined;
      ends[number] = begin + bytes.byteLength;
      if (ends[number]! > from) read.set(new Uint8Array(bytes).subarray(Math.max(0, from - begin), to - begin), Math.max(0, begin - from));
    }
  }

  /** Small members lie side by side: the latest piece is kept. */
  private async take(number: number): Promise<ArrayBuffer | undefined> {
    if (number === this.last) return this.bytes;
    const bytes = await this.piece(number);
    [this.last, this.bytes] = [number, bytes];
    return bytes;
  }
}

/** A lesson's bundle: finding its members in a tar file, of which nothing is read but what is asked for. */

import type { Source } from './pieces';

export interface Member {
  /** Where its bytes begin in the file. */
  at: number;
  bytes: number;
}

/** tar counts in blocks. */
const BLOCK = 512;

/** More members than a lesson of a day has. */
const MAX_MEMBERS = 60_000;

/** Names as bundles have them: nothing that leads out of the folder, nothing hidden. */
const NAME = /^(?!.*\/\.)[A-Za-z0-9][A-Za-z0-9._/-]*$/;

/** The members of a tar file by name; undefined where it is none, or is broken off. */
export async function readTar(file: Source): Promise<Map<string, Member> | undefined> {
  const members = new Map<string, Member>();
  for (let at = 0; at + BLOCK <= file.size && members.size < MAX_MEMBERS; ) {
    const bytes = await file.read(at, at + BLOCK);
    if (!bytes) return undefined;
    const block = new Uint8Array(bytes);
    // Two empty blocks end it; one tells as much.
    if (block.every((byte) => byte === 0)) return members.size > 0 ? members : undefined;
    const header = parseHeader(block);
    if (!header || at + BLOCK + header.bytes > file.size) return undefined;
    if (header.isFile) members.set(header.name, { at: at + BLOCK, bytes: header.bytes });
    at += BLOCK + Math.ceil(header.bytes / BLOCK) * BLOCK;
  }
  // Broken off between two members, or within what fills up the last one's block.
  return undefined;
}

/** One member's header (POSIX.1-1988); undefined where it is none. */
export function parseHeader(block: Uint8Array): { name: string; bytes: number; isFile: boolean } | undefined {
  if (text(block, 257, 5) !== 'ustar') return undefined;
  const prefix = text(block, 345, 155);
  const name = (prefix && `${prefix}/`) + text(block, 0, 100);
  const size = text(block, 124, 12).trim();
  if (!/^[0-7]{1,12}$/.test(size) || !NAME.test(name)) return undefined;
  const type = block[156]!;
  return { name, bytes: parseInt(size, 8), isFile: type === 0 || type === 0x30 };
}

function text(block: Uint8Array, at: number, length: number): string {
  let end = at;
  while (end < at + length && block[end] !== 0) end += 1;
  return String.fromCharCode(...Array.from(block.subarray(at, end)));
}

/** A blob's bytes, also in browsers whose blobs cannot say (before 2019). */
export function bytesOf(blob: Blob): Promise<ArrayBuffer> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as ArrayBuffer);
    reader.onerror = () => reject(reader.error);
    reader.readAsArrayBuffer(blob);
  });
}

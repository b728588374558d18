/**
 * Lessons kept on the device, in IndexedDB: which browsers of 2016 have, and which needs no HTTPS as service workers and caches do. Storage
 * may be forbidden or full: then nothing is kept, and everything else goes on.
 */

import { Pieces } from './pieces';

/** A lesson that is kept, or on its way here. */
export interface Kept {
  id: string;
  title: string;
  /** The package whose bundle it is. */
  folder: string;
  /** Bytes in all; zero until known. */
  total: number;
  received: number;
  /** How many parts those are. */
  parts: number;
  /** When fetching begins, in milliseconds since 1970; zero for at once. */
  notBefore: number;
  done: boolean;
}

const NAME = 'airclass';

/** How long the database may take to open or to answer, in milliseconds: WebKit's sometimes never does. */
const PATIENCE_MS = 5_000;

export class Shelf {
  private constructor(private readonly database: IDBDatabase) {}

  /** The device's shelf; undefined where there can be none. */
  static open(): Promise<Shelf | undefined> {
    return new Promise((resolve) => {
      let late = false;
      const giveUp = (): void => {
        late = true;
        resolve(undefined);
      };
      setTimeout(giveUp, PATIENCE_MS);
      try {
        const request = window.indexedDB.open(NAME, 1);
        request.onupgradeneeded = () => {
          request.result.createObjectStore('lessons', { keyPath: 'id' });
          request.result.createObjectStore('parts', { keyPath: ['id', 'part'] });
        };
        request.onsuccess = () => (late ? request.result.close() : resolve(new Shelf(request.result)));
        request.onerror = request.onblocked = giveUp;
      } catch {
        giveUp();
      }
    });
  }

  async all(): Promise<Kept[]> {
    return answer(this.database.transaction('lessons').objectStore('lessons').getAll() as IDBRequest<Kept[]>);
  }

  async find(id: string): Promise<Kept | undefined> {
    return answer(this.database.transaction('lessons').objectStore('lessons').get(id) as IDBRequest<Kept | undefined>);
  }

  /** Writes what is known of a lesson, and with it, if it came, its next part: both or neither. */
  write(kept: Kept, bytes?: ArrayBuffer): Promise<void> {
    return this.change((lessons, parts) => {
      if (bytes) parts.put({ id: kept.id, part: kept.parts - 1, bytes });
      lessons.put(kept);
    });
  }

  remove(id: string): Promise<void> {
    return this.change((lessons, parts) => {
      parts.delete(IDBKeyRange.bound([id, 0], [id, Infinity]));
      lessons.delete(id);
    });
  }

  /** One part of a lesson, from 0 on; undefined where there is none. */
  async part(id: string, part: number): Promise<ArrayBuffer | undefined> {
    const row = await answer(this.database.transaction('parts').objectStore('parts').get([id, part]) as IDBRequest<{ bytes: ArrayBuffer } | undefined>);
    return row?.bytes;
  }

  close(): void {
    this.database.close();
  }

  private change(make: (lessons: IDBObjectStore, parts: IDBObjectStore) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const transaction = this.database.transaction(['lessons', 'parts'], 'readwrite');
      transaction.oncomplete = () => resolve();
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
      make(transaction.objectStore('lessons'), transaction.objectStore('parts'));
    });
  }
}

/** The file of a lesson that is there. A phone that was put away may lose its database meanwhile, so that is opened once more. */
export function fileOf({ id, total }: Kept): Pieces {
  let opening: Promise<Shelf | undefined> | undefined;
  const close = (): void => {
    void opening?.then((shelf) => shelf?.close());
    opening = undefined;
  };
  const piece = async (part: number, again = true): Promise<ArrayBuffer | undefined> => {
    const mine = (opening ??= Shelf.open());
    try {
      return await (await mine)!.part(id, part);
    } catch (error) {
      // Another read may have opened it anew already.
      if (opening === mine) close();
      if (!again) throw error;
      return piece(part, false);
    }
  };
  return new Pieces(total, (part) => piece(part), close);
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no answer')), PATIENCE_MS);
    const ends = (end: () => void) => () => {
      clearTimeout(timer);
      end();
    };
    request.onsuccess = ends(() => resolve(request.result));
    request.onerror = ends(() => reject(request.error));
  });
}

/** Small values kept on this device, and nowhere else. Storage may be switched off or full: then nothing is remembered. */

export interface Store {
  /** The parsed value of a key; undefined where nothing usable is there. */
  read(key: string): unknown;
  /** Keeps a value. False where the device refuses. */
  write(key: string, value: unknown): boolean;
  remove(key: string): void;
}

/** Every key of ours starts so, beside whatever else the same address has stored. */
const PREFIX = 'airclass.';

/** What a key is called in the device's own storage. */
export function keyOf(key: string): string {
  return PREFIX + key;
}

/** A store over `localStorage`; `storage` is a function because even naming it throws where it is forbidden. */
export function deviceStore(storage: () => Storage): Store {
  return {
    read(key) {
      try {
        const text = storage().getItem(keyOf(key));
        return text === null ? undefined : JSON.parse(text);
      } catch {
        return undefined;
      }
    },
    write(key, value) {
      try {
        storage().setItem(keyOf(key), JSON.stringify(value));
        return true;
      } catch {
        return false;
      }
    },
    remove(key) {
      try {
        storage().removeItem(keyOf(key));
      } catch {
        // Nothing was kept there.
      }
    },
  };
}

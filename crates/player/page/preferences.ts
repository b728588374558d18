/** How this device likes to play: kept on it only. */

import { isMode, type Mode } from './mode';
import type { Store } from './store';

export interface Preferences {
  /** 0 to 1. */
  volume: number;
  muted: boolean;
  /** One of SPEEDS. */
  speed: number;
  /** What is fetched. Set only when chosen by hand; otherwise the device's own wish to save decides. */
  mode?: Mode;
  /** Set only when chosen by hand; otherwise the browser's languages decide. */
  language?: 'zh' | 'en';
}

/** Playing speeds on offer, slowest first. */
export const SPEEDS: readonly number[] = [0.75, 1, 1.25, 1.5, 1.75, 2];

const KEY = 'preferences';

export function readPreferences(store: Store): Preferences {
  const stored = store.read(KEY);
  const value = (typeof stored === 'object' && stored !== null ? stored : {}) as Record<string, unknown>;
  const preferences: Preferences = {
    volume: typeof value.volume === 'number' && value.volume >= 0 && value.volume <= 1 ? value.volume : 1,
    muted: value.muted === true,
    speed: SPEEDS.includes(value.speed as number) ? (value.speed as number) : 1,
  };
  if (isMode(value.mode)) preferences.mode = value.mode;
  if (value.language === 'zh' || value.language === 'en') preferences.language = value.language;
  return preferences;
}

/** Whether the device was told to save data. */
export function savesData(): boolean {
  const { connection } = navigator as { connection?: { saveData?: boolean } };
  return connection?.saveData === true;
}

/** How lessons are fetched here: as chosen, else sparingly where the device was told to save. */
export function wantedMode(store: Store): Mode {
  return readPreferences(store).mode ?? (savesData() ? 'saver' : 'auto');
}

/** Changes some preferences and keeps the rest. */
export function keepPreferences(store: Store, change: Partial<Preferences>): void {
  store.write(KEY, { ...readPreferences(store), ...change });
}

/** The next speed on offer in a direction; the same at the end of the scale. */
export function nextSpeed(current: number, direction: 1 | -1): number {
  const faster = SPEEDS.filter((speed) => (direction > 0 ? speed > current : speed < current));
  return (direction > 0 ? faster[0] : faster[faster.length - 1]) ?? current;
}

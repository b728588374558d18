/** The last half hour in memory, and what charts are made of. */

import type { Counts, Samples } from './source';

/** What is drawn. */
const DRAWN = ['sent_bytes', 'received_bytes', 'bytes_ram', 'bytes_disk', 'bytes_upstream', 'requests_ram', 'requests_disk', 'requests_upstream', 'segments', 'slow_segments', 'players'] as const;
type Drawn = (typeof DRAWN)[number];

const KEPT_MS = 1_800_000;
/** Shares are of so many samples: single segments would make them jump. */
const SHARE_OVER = 12;

type Line = (number | null)[];

export interface Shares {
  ram: number;
  disk: number;
}

export class History {
  private at: number[] = [];
  private readonly columns = Object.fromEntries(DRAWN.map((name) => [name, []])) as unknown as Record<Drawn, number[]>;

  /** Begins anew with what the node has kept. */
  restart(samples: Samples): void {
    this.at = samples.at_ms.slice();
    for (const name of DRAWN) this.columns[name] = samples[name].slice();
  }

  /** Takes in a look; false when it does not follow what is here: the process or its clock has begun anew, or looks were missed. */
  append(at: number, counts: Counts, longestGapMs: number): boolean {
    const last = this.at[this.at.length - 1];
    if (last === undefined || at - last > longestGapMs || at < last) return false;
    const before = this.columns.sent_bytes[this.at.length - 1] ?? 0;
    if (counts.sent_bytes < before) return false;
    // Two looks at nearly one moment would make rates out of noise.
    if (at - last < 1000) return true;
    this.at.push(at);
    for (const name of DRAWN) this.columns[name].push(counts[name]);
    while ((this.at[0] ?? at) < at - KEPT_MS) {
      this.at.shift();
      for (const name of DRAWN) this.columns[name].shift();
    }
    return true;
  }

  /** Seconds, as charts want them. */
  get seconds(): number[] {
    return this.at.map((ms) => ms / 1000);
  }

  /** Bits a second between each look and the one before. */
  bps(name: 'sent_bytes' | 'received_bytes'): Line {
    const column = this.columns[name];
    return this.at.map((at, i) => {
      const [then, before] = [this.at[i - 1], column[i - 1]];
      if (then === undefined || before === undefined || at <= then) return null;
      return (Math.max(0, (column[i] ?? before) - before) * 8000) / (at - then);
    });
  }

  gauge(name: 'players'): Line {
    return this.columns[name].slice();
  }

  /** Of what the cache could have answered, which part memory and the disk did; null where nothing was asked for. */
  shares(of: 'bytes' | 'requests', over = SHARE_OVER, last = false): (Shares | null)[] {
    const grown = (name: Drawn, i: number) => {
      const column = this.columns[name];
      return Math.max(0, (column[i] ?? 0) - (column[Math.max(0, i - over)] ?? 0));
    };
    const share = (i: number): Shares | null => {
      const [ram, disk, upstream] = [grown(`${of}_ram`, i), grown(`${of}_disk`, i), grown(`${of}_upstream`, i)];
      const all = ram + disk + upstream;
      return all > 0 ? { ram: ram / all, disk: disk / all } : null;
    };
    if (last) return [share(this.at.length - 1)];
    return this.at.map((_, i) => share(i));
  }

  /** The last five minutes together. */
  lately(of: 'bytes' | 'requests'): Shares | null {
    return this.shares(of, 60, true)[0] ?? null;
  }

  /** Of the segments of the last five minutes, those that took longer than they play. */
  slow(): number | null {
    const grown = (name: Drawn) => {
      const column = this.columns[name];
      return (column[column.length - 1] ?? 0) - (column[Math.max(0, column.length - 61)] ?? 0);
    };
    const segments = grown('segments');
    return segments > 0 ? grown('slow_segments') / segments : null;
  }
}

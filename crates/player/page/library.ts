/** The catalogue as far as it has been fetched. */

import { parseShard, parseVersion, type Lesson, type Shard } from './catalogue';
import { gradeName } from './grouping';
import { inTurn, readJson } from './network';
import type { Trouble } from './recovery';
import type { Filter } from './route';

/** Up to this many lessons the whole catalogue is fetched at once; beyond it, one grade at a time. */
export const WHOLE_UP_TO = 3_000;

/** Parts fetched side by side. */
const WIDTH = 4;

export type Reading = { ok: true; complete: boolean } | { ok: false; trouble: Trouble };

export class Library {
  private shards: Shard[] = [];
  /** Parts by their address; the address changes with the bytes, so an entry never goes stale. */
  private readonly parts = new Map<string, Lesson[]>();
  /** When the list of parts was last read, by `performance.now()`. */
  readAt = -Infinity;

  /** Every part, whether fetched or not. */
  get all(): readonly Shard[] {
    return this.shards;
  }

  /** The catalogue is too long to be fetched whole. */
  get isLong(): boolean {
    return this.shards.reduce((sum, shard) => sum + shard.lessons, 0) > WHOLE_UP_TO;
  }

  /** Lessons of the fetched parts. */
  get lessons(): Lesson[] {
    return this.shards.flatMap((shard) => this.parts.get(shard.path) ?? []);
  }

  /** Reads the list of parts. */
  async readVersion(): Promise<Reading> {
    const answer = await readJson('/catalogue/version.json');
    if (!answer.ok) return { ok: false, trouble: answer.trouble };
    const shards = parseVersion(answer.json);
    if (!shards) return { ok: false, trouble: 'damaged' };
    this.shards = shards;
    const current = new Set(shards.map((shard) => shard.path));
    for (const path of this.parts.keys()) if (!current.has(path)) this.parts.delete(path);
    this.readAt = performance.now();
    return { ok: true, complete: true };
  }

  /** Fetches the parts that a filter needs and that are not here yet; `progress` after each. */
  async readParts(filter: Filter, progress: () => void): Promise<Reading> {
    const missing = this.needed(filter).filter((shard) => !this.parts.has(shard.path));
    let failed: Trouble | undefined;
    await inTurn(missing, WIDTH, async (shard) => {
      const answer = await readJson(`/${shard.path}`);
      const lessons = answer.ok ? parseShard(answer.json) : undefined;
      if (lessons) {
        this.parts.set(shard.path, lessons);
        progress();
      } else failed = answer.ok ? 'damaged' : answer.trouble;
    });
    if (failed === undefined) return { ok: true, complete: true };
    return this.lessons.length > 0 ? { ok: true, complete: false } : { ok: false, trouble: failed };
  }

  private needed({ stage, grade }: Filter): Shard[] {
    if (!this.isLong) return this.shards;
    // A part that says no grade may hold any.
    return this.shards.filter(
      (shard) => (!stage || shard.stage === stage) && (!shard.grade || gradeName(shard.grade) === gradeName(grade)),
    );
  }
}

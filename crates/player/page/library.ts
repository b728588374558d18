/** The catalogue as far as it has been fetched. */

import { moment, type Moment } from './alarm';
import { parseShard, parseVersion, sectionsPath, type Lesson, type Shard } from './catalogue';
import { gradeName, queryWords } from './grouping';
import { finds, mayBeRead, parseIndex, type Entry } from './index-search';
import { inTurn, readJson } from './network';
import type { Trouble } from './recovery';
import type { Filter } from './route';
import { parseSections, type Section } from './sections';

/** Up to this many lessons the whole catalogue is fetched at once; beyond it, one grade at a time. */
export const WHOLE_UP_TO = 3_000;

/** Grades that a search through a long catalogue shows lessons of; a longer answer asks for more words. */
const MAX_FOUND_SHARDS = 12;

/** Parts fetched side by side. */
const WIDTH = 4;

export type Reading = { ok: true; complete: boolean } | { ok: false; trouble: Trouble; retryAfterMs: number };

const DAMAGED: Reading = { ok: false, trouble: 'damaged', retryAfterMs: 0 };

export class Library {
  private shards: Shard[] = [];
  /** Parts by their address; the address changes with the bytes, so an entry never goes stale. */
  private readonly parts = new Map<string, Lesson[]>();
  /** What is searched, by address. */
  private readonly indexes = new Map<string, Entry[]>();
  private sectionsAt = '';
  /** Today's sections, in order. */
  sections: Section[] = [];
  /** When the list of parts was last read, if it was. */
  readAt: Moment | undefined;

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
    if (!answer.ok) return answer;
    const shards = parseVersion(answer.json);
    if (!shards) return DAMAGED;
    this.shards = shards;
    const current = new Set(shards.map((shard) => shard.path));
    for (const path of this.parts.keys()) if (!current.has(path)) this.parts.delete(path);
    for (const path of this.indexes.keys()) if (!shards.some((shard) => shard.search === path)) this.indexes.delete(path);
    await this.readSections(sectionsPath(answer.json));
    this.readAt = moment();
    return { ok: true, complete: true };
  }

  /** The list stands without them. */
  private async readSections(path: string): Promise<void> {
    if (!path || path === this.sectionsAt) return;
    const answer = await readJson(`/${path}`);
    const sections = answer.ok ? parseSections(answer.json) : undefined;
    if (!sections) return;
    this.sections = sections;
    this.sectionsAt = path;
  }

  /** Lessons that the index finds for a query, as far as it has been fetched. */
  found(query: string): Set<string> {
    const words = queryWords(query);
    const entries = words.length === 0 ? [] : [...this.indexes.values()].flat();
    return new Set(entries.filter((entry) => finds(entry, words)).map((entry) => entry.id));
  }

  /** The index is needed for what is typed as it is read, and where the list itself is not here. Without it words are found as written. */
  private async readIndex(filter: Filter, progress: () => void): Promise<void> {
    if (!filter.query || (!this.isLong && !mayBeRead(filter.query))) return;
    const wanted = this.shards.filter((shard) => shard.search && !this.indexes.has(shard.search) && (!filter.stage || shard.stage === filter.stage));
    await inTurn(wanted, WIDTH, async ({ search }) => {
      const answer = await readJson(`/${search}`);
      const entries = answer.ok ? parseIndex(answer.json) : undefined;
      if (!entries) return;
      this.indexes.set(search, entries);
      progress();
    });
  }

  /** Fetches the parts that a filter needs and that are not here yet; `progress` after each. */
  async readParts(filter: Filter, progress: () => void): Promise<Reading> {
    await this.readIndex(filter, progress);
    const missing = this.needed(filter).filter((shard) => !this.parts.has(shard.path));
    let failed: Reading | undefined;
    await inTurn(missing, WIDTH, async (shard) => {
      const answer = await readJson(`/${shard.path}`);
      const lessons = answer.ok ? parseShard(answer.json) : undefined;
      if (lessons) {
        this.parts.set(shard.path, lessons);
        progress();
      } else failed = answer.ok ? DAMAGED : answer;
    });
    if (failed === undefined) return { ok: true, complete: true };
    return this.lessons.length > 0 ? { ok: true, complete: false } : failed;
  }

  private needed({ stage, grade, query }: Filter): Shard[] {
    if (!this.isLong) return this.shards;
    if (query && !grade) {
      const found = this.found(query);
      const holds = ({ search }: Shard): boolean => (this.indexes.get(search) ?? []).some(({ id }) => found.has(id));
      return this.shards.filter((shard) => (!stage || shard.stage === stage) && holds(shard)).slice(0, MAX_FOUND_SHARDS);
    }
    // A part that says no grade may hold any.
    return this.shards.filter(
      (shard) => (!stage || shard.stage === stage) && (!shard.grade || gradeName(shard.grade) === gradeName(grade)),
    );
  }
}

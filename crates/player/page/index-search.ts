/** Search over the index that the publisher makes: words as written, and Chinese as it is typed (fenshu, fs, fshu for 分数). */

/** One lesson's entry. */
export interface Entry {
  id: string;
  /** In lower case. */
  words: string;
  /** Syllables, each with its readings. */
  syllables: string[][];
}

/** Entries read from one part. */
const MAX_ENTRIES = 20_000;

/** Longest text of an entry that is looked at. */
const MAX_CHARS = 4_000;

/** The entries of a part, `["maths-3", "分数 数学", "fen shu/shuo shu xue"]` each; what is none is left out. */
export function parseIndex(json: unknown): Entry[] | undefined {
  if (!Array.isArray(json)) return undefined;
  return json.slice(0, MAX_ENTRIES).flatMap((entry) => {
    if (!Array.isArray(entry)) return [];
    const [id, words, read] = entry as unknown[];
    if (typeof id !== 'string' || typeof words !== 'string' || typeof read !== 'string') return [];
    const syllables = read.slice(0, MAX_CHARS).split(' ').filter(Boolean).map((syllable) => syllable.split('/'));
    return [{ id, words: words.slice(0, MAX_CHARS), syllables }];
  });
}

/** Whether each word of a query (in lower case, one space between) is in an entry, as written or as read. */
export function finds(entry: Entry, query: readonly string[]): boolean {
  return query.every((word) => entry.words.includes(word) || (LATIN.test(word) && isRead(entry.syllables, word.replace(/['ü]/g, (c) => (c === 'ü' ? 'v' : '')))));
}

/** Whether a query may be pinyin. */
export function mayBeRead(query: string): boolean {
  return LETTER.test(query);
}

const LATIN = /^[a-zü0-9']+$/;
const LETTER = /[a-zü]/i;

/** Whether syllables that follow each other, each by its beginning or whole, spell a word. */
export function isRead(syllables: readonly string[][], word: string): boolean {
  // Ends of what is spelt so far, for every syllable to begin with at once: no more steps than letters times syllables.
  let ends = new Set<number>();
  for (const readings of syllables) {
    const next = new Set<number>();
    for (const from of [0, ...ends]) {
      for (const reading of readings) {
        for (let length = 1; length <= reading.length && reading[length - 1] === word[from + length - 1]; length += 1) {
          if (from + length === word.length) return true;
          next.add(from + length);
        }
      }
    }
    ends = next;
  }
  return false;
}

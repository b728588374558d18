/** What the list of chapters says. */

export interface ChaptersWords {
  chapters: string;
}

const zh: ChaptersWords = { chapters: '章节' };

const en: ChaptersWords = { chapters: 'Chapters' };

/** In the page's language, by its tag. */
export function chaptersWordsIn(tag: string): ChaptersWords {
  return tag === 'en' ? en : zh;
}

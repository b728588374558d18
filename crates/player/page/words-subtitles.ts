/** What the menu of subtitles says. */

export interface SubtitlesWords {
  subtitles: string;
  /** As the bar shows it, where a phone has room for two characters. */
  face: string;
  off: string;
}

const zh: SubtitlesWords = { subtitles: '字幕', face: '字幕', off: '关' };

const en: SubtitlesWords = { subtitles: 'Subtitles', face: 'CC', off: 'Off' };

/** In the page's language, by its tag. */
export function subtitlesWordsIn(tag: string): SubtitlesWords {
  return tag === 'en' ? en : zh;
}

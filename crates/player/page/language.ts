/** Which of the page's two languages to speak. */

export type Language = 'zh' | 'en';

/** The first of the reader's languages that the page knows; Chinese where it knows none of them. */
export function chooseLanguage(preferred: readonly string[]): Language {
  for (const tag of preferred) {
    const primary = tag.toLowerCase().split('-')[0];
    if (primary === 'zh' || primary === 'en') return primary;
  }
  return 'zh';
}

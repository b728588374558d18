/** 板块: what the home page is divided into, as published; see `config/sections.toml`. */

import type { Language } from './language';

export interface Section {
  id: string;
  zh: string;
  en: string;
  /** Sections of other editions whose lessons are here now. */
  was: string[];
}

/** Sections that are shown. */
const MAX_SECTIONS = 40;

/** Longest name that is shown. */
const MAX_CHARS = 40;

/** The sections of the newest edition; undefined where it is nothing of the kind. */
export function parseSections(json: unknown): Section[] | undefined {
  const editions = (json as { edition?: unknown } | null)?.edition;
  if (!Array.isArray(editions)) return undefined;
  const newest = editions[editions.length - 1] as { sections?: unknown } | undefined;
  if (!Array.isArray(newest?.sections)) return undefined;
  return newest.sections.slice(0, MAX_SECTIONS).flatMap((entry: unknown) => {
    const { id, zh, en, was } = (entry ?? {}) as Record<string, unknown>;
    if (typeof id !== 'string' || typeof zh !== 'string' || typeof en !== 'string' || !id) return [];
    const before = Array.isArray(was) ? was.filter((name): name is string => typeof name === 'string') : [];
    return [{ id, zh: zh.slice(0, MAX_CHARS), en: en.slice(0, MAX_CHARS), was: before }];
  });
}

/** The section that a lesson is in now; empty where it is in none of them. */
export function sectionOf(sections: readonly Section[], section: string): string {
  return sections.find(({ id, was }) => id === section || was.includes(section))?.id ?? '';
}

/** The sections that some lessons are in, in their order. */
export function sectionsOf(sections: readonly Section[], lessons: readonly { section: string }[]): Section[] {
  const present = new Set(lessons.map((lesson) => sectionOf(sections, lesson.section)));
  return sections.filter(({ id }) => present.has(id));
}

export function sectionName(section: Section, language: Language): string {
  return language === 'en' ? section.en : section.zh;
}

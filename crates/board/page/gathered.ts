/** Alarms as the page shows them: those of one kind in one place, so that forty upstreams do not hide what else is wrong. */

import type { Alarm } from './source';
import type { Language } from './words';

/** So many of one kind are told one by one. */
export const TOLD = 4;

export interface Gathered {
  /** Their words, which they share. */
  of: Alarm;
  /** What each is about, and how it is. */
  told: string[];
  /** How many there are beside these. */
  more: number;
}

/** In the node's order, those first that cannot wait. */
export function gathered(alarms: readonly Alarm[], language: Language): Gathered[] {
  const kinds = new Map<string, Alarm[]>();
  for (const alarm of alarms) {
    const kind = `${alarm.severity} ${alarm.alarm}`;
    kinds.set(kind, [...(kinds.get(kind) ?? []), alarm]);
  }
  return [...kinds.values()].flatMap((same) => {
    const [of] = same;
    return of ? [{ of, told: same.slice(0, TOLD).map((one) => about(one, language)), more: Math.max(0, same.length - TOLD) }] : [];
  });
}

function about(alarm: Alarm, language: Language): string {
  const subject = alarm.subject.replace(/^\d{4}-\d\d-\d\dT(?=\d\d:\d\d$)/, '');
  return [subject, language === 'zh' ? alarm.detail_zh : alarm.detail].filter(Boolean).join(' · ');
}

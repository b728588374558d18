/** Whose pupil this device's is, as chosen on it and nowhere else. */

import type { Context } from './context';

/** Years of school, through all stages. */
export const GRADES = Array.from({ length: 12 }, (_, index) => index + 1);

/** Whose limits count, as chosen on this device. */
export interface Choice {
  place: string;
  /** 0 where not chosen. */
  grade: number;
}

export function readChoice({ store }: Pick<Context, 'store'>): Choice {
  const { place, grade } = (store.read('eyes') ?? {}) as Record<string, unknown>;
  return { place: typeof place === 'string' ? place : 'nation', grade: GRADES.includes(grade as number) ? (grade as number) : 0 };
}

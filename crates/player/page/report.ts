/**
 * 报告问题: what a report says, and those that wait on this device because nobody could be told. Every word is from a list, or a
 * number that a node has made: there is no box to write in, so nothing personal can be in one. Pure but for the store.
 */

import { faultOf, type Answered } from './answers';
import type { View } from './state';
import type { Store } from './store';

/** What can be chosen; as in `crates/feedback`. */
export const KINDS = ['start', 'stalls', 'picture', 'sound', 'text', 'wrong', 'page', 'download'] as const;
export type Kind = (typeof KINDS)[number];

/** As in `crates/feedback`. */
export interface Report {
  kind: Kind;
  fault: string;
  node?: string;
  trace?: string;
  status?: number;
  rung?: string;
  lesson?: string;
  build?: string;
  engine?: string;
  waited_min?: number;
}

/** A report on this device. */
export interface Kept {
  report: Report;
  /** When it was made, in milliseconds since 1970. */
  at: number;
}

/** Reports that wait here; a twenty-first takes the place of the first. */
export const MAX_KEPT = 20;

/** Beyond this a report is of no use, in minutes; as in `crates/feedback`. */
const MAX_WAITED_MIN = 31 * 24 * 60;

const KEY = 'reports';

/** A report about what the page is doing. */
export function compose(kind: Kind, view: Pick<View, 'lesson' | 'engine' | 'fault'>, answered: Answered | undefined, build: string): Report {
  const report: Report = { kind, fault: view.fault ?? faultOf(answered) };
  if (answered?.node) report.node = answered.node;
  if (answered?.trace) report.trace = answered.trace;
  if (answered && answered.status > 0) report.status = answered.status;
  if (answered?.rung) report.rung = answered.rung;
  if (view.lesson && /^[a-z0-9_-][a-z0-9._-]{0,63}$/.test(view.lesson)) report.lesson = view.lesson;
  if (build) report.build = build;
  if (view.engine) report.engine = view.engine;
  return report;
}

/** The build of a page by the address of its script; empty where that does not say. */
export function buildOf(script: string): string {
  return /-([A-Z0-9]{8})\.js$/.exec(script)?.[1] ?? '';
}

/** Those that wait, the oldest first. */
export function readKept(store: Store): Kept[] {
  const stored = store.read(KEY);
  return Array.isArray(stored) ? (stored.filter(isKept) as Kept[]).slice(-MAX_KEPT) : [];
}

/** Has one wait. Whether the device keeps it. */
export function keepReport(store: Store, kept: Kept): boolean {
  return store.write(KEY, [...readKept(store), kept].slice(-MAX_KEPT));
}

export function dropFirst(store: Store): void {
  const rest = readKept(store).slice(1);
  if (rest.length === 0) store.remove(KEY);
  else store.write(KEY, rest);
}

/** One that has waited, as it is sent; undefined when that was too long. */
export function late({ report, at }: Kept, now: number): Report | undefined {
  const minutes = Math.max(0, Math.round((now - at) / 60_000));
  if (minutes > MAX_WAITED_MIN) return undefined;
  return minutes === 0 ? report : { ...report, waited_min: minutes };
}

/** What becomes of a report by the answer's status. */
export function fate(status: number): 'taken' | 'nobody' | 'later' {
  if (status === 202) return 'taken';
  // Nobody takes reports here, or not of this form: asking again does not help.
  return status >= 400 && status < 500 && status !== 408 && status !== 429 ? 'nobody' : 'later';
}

function isKept(value: unknown): value is Kept {
  const { report, at } = (value ?? {}) as Record<string, unknown>;
  return typeof at === 'number' && typeof report === 'object' && report !== null && (KINDS as readonly string[]).includes((report as Report).kind);
}

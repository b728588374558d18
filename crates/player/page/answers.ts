/**
 * Which node answered last, and the number of its answer, by which it finds the answer again: what a report of trouble is worth to
 * those who look after nodes. Of what the page has asked for; nothing of who asked.
 */

import { troubleOf } from './recovery';

export interface Answered {
  /** The node's name; empty where it says none. */
  node: string;
  /** The answer's number; empty where the node keeps no log. */
  trace: string;
  /** 0 where none came. */
  status: number;
  /** What was fetched of a lesson; empty for anything else. */
  rung: string;
  /** By `performance.now()`. */
  at: number;
}

/** A failure is what a report is about for so long, in milliseconds. */
const FRESH_MS = 120_000;

const NODE = /^[\w.-]{1,64}/;
const TRACE = /^[0-9a-f]{16}$/;
const RUNG = /\/p\/[0-9a-f]{40}\/([sa][0-5]|audio|ts|slides)\//;

let latest: Answered | undefined;
let failed: Answered | undefined;

/** Notes an answer; `field` reads its header fields, none where none came. */
export function heard(url: string, status: number, field: (name: string) => string | null): void {
  // The node nearest to us is the last of the list.
  const nodes = (field('Cache-Status') ?? '').split(',').map((member) => NODE.exec(member.trim())?.[0] ?? '');
  const trace = field('Airclass-Trace') ?? '';
  const answered = { node: nodes[nodes.length - 1] ?? '', trace: TRACE.test(trace) ? trace : '', status, rung: RUNG.exec(url)?.[1] ?? '', at: performance.now() };
  latest = answered;
  if (status === 0 || status >= 400) failed = answered;
}

/** What a report made now is about: the failure just before, or else the latest answer. */
export function reportable(now: number): Answered | undefined {
  return failed && now - failed.at < FRESH_MS ? failed : latest;
}

/** What a status says to be wrong. */
export function faultOf(answered: Answered | undefined): string {
  return !answered || (answered.status > 0 && answered.status < 400) ? 'none' : troubleOf(answered.status);
}

/** The node's two documents. `docs/status.md` says what stands in them. */

export interface Counts {
  sent_bytes: number;
  received_bytes: number;
  requests_ram: number;
  requests_disk: number;
  requests_upstream: number;
  requests_own: number;
  bytes_ram: number;
  bytes_disk: number;
  bytes_upstream: number;
  bytes_own: number;
  segments: number;
  slow_segments: number;
  health_misses: number;
  players: number;
  in_flight: number;
  overload_level: number;
}

export interface Bell {
  bell: string;
  local: string;
  lessons: number;
  ready_ratio: number | null;
  wanted_bytes: number | null;
  held_bytes: number | null;
}

export interface Alarm {
  alarm: string;
  severity: 'page' | 'ticket';
  subject: string;
  /** In English, and in Chinese where the node says it (`detail_zh`). */
  detail: string;
  detail_zh: string;
  zh: string;
  en: string;
  do_zh: string;
  do_en: string;
  runbook: string;
}

export interface Upstream {
  group: string;
  name: string;
  up: boolean;
  load: number;
  asked: Record<string, number>;
}

export interface Disk {
  disk: string;
  state: string;
  bytes: number;
  objects: number;
}

export interface Status {
  kind: string;
  at: string;
  zone_s: number | null;
  node: { name: string; version: string; owner: string; province: string; carrier: string; site: string; up_s: number };
  ready: boolean;
  checks: { check: string; why: string | null }[];
  bandwidth: { sent_bps: number; received_bps: number; limit_bps: number | null; month95_bps: number | null; level_bps: number | null };
  counts: Counts;
  pressure: Record<string, number>;
  waiting: Record<string, number>;
  connections: number;
  bells: Bell[];
  lessons: { over_s: number; bytes: number; top: { package: string; title: string | null; bytes: number; over: number }[] };
  upstreams: Upstream[];
  memory: { bytes: number; objects: number };
  disks: Disk[];
  alarms: Alarm[];
}

export type Samples = { kind: string; every_ms: number; at_ms: number[] } & Record<keyof Counts, number[]>;

/** The longest wait for an answer, in milliseconds. */
const PATIENCE_MS = 8_000;

async function read<T extends { kind: string }>(path: string, kind: string): Promise<T> {
  const gone = new AbortController();
  const timer = setTimeout(() => gone.abort(), PATIENCE_MS);
  try {
    const answer = await fetch(path, { signal: gone.signal, cache: 'no-store', credentials: 'omit' });
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    const document = (await answer.json()) as T;
    if (document.kind !== kind) throw new Error(`${path}: ${document.kind}`);
    return document;
  } finally {
    clearTimeout(timer);
  }
}

export const readStatus = () => read<Status>('/status.json', 'airclass-status/1');
export const readSamples = () => read<Samples>('/samples.json', 'airclass-samples/1');

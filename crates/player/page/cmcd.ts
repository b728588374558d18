/**
 * What the player tells the edge of how it fares (CMCD, CTA-5004-A, request mode): beside its requests for segments, in fields. On the
 * page's own address they need no preflight, and they are in no cache's key, as a query would be. The edge counts and forgets.
 */

import { isDry } from './buffered';
import { Reports } from './cmcd-reports';

/** What is asked for. */
export interface Asked {
  kind: 'v' | 'a';
  /** Of the rung asked for, in bits per second; zero where unknown. */
  bitRate: number;
  /** The line as it was measured, in bits per second; zero before that. */
  throughput: number;
  /** Seconds downloaded ahead. */
  buffered: number;
  /** No pictures are fetched beside this sound. */
  alone: boolean;
}

/** How long a segment plays, in milliseconds: all are on one grid. */
const SEGMENT_MS = 4_800;

/** Numbers are rounded, as the standard asks: nothing finer is anybody's business. */
const ROUND_TO = 100;

/** What of an address is a segment of a package, and of what. */
const SEGMENT = /\/p\/[0-9a-f]{40}\/(?:[sa]\d|(audio)\/\w+)\/\d{5}\.m4s$/;

/** What a URL asks for; undefined where it is no segment. */
export function kindOf(url: string): 'v' | 'a' | undefined {
  const found = SEGMENT.exec(url);
  return found ? (found[1] ? 'a' : 'v') : undefined;
}

/** One session: from the opening of a lesson to its end. */
export class Session {
  private wantedAt: number | undefined;
  /** From the wish to play to playing; undefined before, and once it is told. */
  private startMs: number | undefined;
  private started = false;
  private stoodSince: number | undefined;
  private starvedMs = 0;
  private starved = false;

  /** `name` is random and lives as long as this object. */
  constructor(private readonly name: string) {}

  /** Somebody wants to watch. */
  wants(now: number): void {
    if (!this.started) this.wantedAt ??= now;
  }

  /** Pictures move. */
  plays(now: number): void {
    if (!this.started && this.wantedAt !== undefined) {
      this.started = true;
      this.startMs = now - this.wantedAt;
    }
    if (this.stoodSince === undefined) return;
    this.starvedMs += now - this.stoodSince;
    this.stoodSince = undefined;
  }

  /** Playing stands still for want of data. */
  stands(now: number): void {
    if (!this.started || this.stoodSince !== undefined) return;
    this.stoodSince = now;
    this.starved = true;
  }

  /** The standing still is over for another reason: a pause, another place. */
  stops(now: number): void {
    if (this.stoodSince !== undefined) this.plays(now);
  }

  /** The fields of a request. What is told once is told with this one. */
  fields({ kind, bitRate, throughput, buffered, alone }: Asked, now: number): Record<string, string> {
    if (this.stoodSince !== undefined) {
      this.starvedMs += now - this.stoodSince;
      this.stoodSince = now;
    }
    const list = (value: number): string => `(${Math.round(value / ROUND_TO) * ROUND_TO};${kind})`;
    const fields: Record<string, string> = {
      'CMCD-Object': text([bitRate > 0 && `br=(${Math.round(bitRate / 1000)};${kind})`, `d=${SEGMENT_MS}`, `ot=${kind}`]),
      'CMCD-Request': text([
        `bl=${list(buffered * 1000)}`,
        alone && 'com.airclass-alone',
        throughput > 0 && `mtp=${list(throughput / 1000)}`,
        !this.started && 'su',
      ]),
      'CMCD-Session': text([this.startMs !== undefined && `msd=${Math.round(this.startMs)}`, 'sf=h', `sid="${this.name}"`, 'st=v', 'v=2']),
    };
    if (this.starved || this.starvedMs > 0) fields['CMCD-Status'] = text([this.starved && 'bs', `bsd=(${Math.round(this.starvedMs)};${kind})`]);
    this.startMs = undefined;
    this.starved = false;
    this.starvedMs = 0;
    return fields;
  }
}

function text(members: (string | false)[]): string {
  return members.filter(Boolean).join(',');
}

/** A session that follows `video`, and what it tells beside its requests; undefined where the device asks not to be followed at all. */
export function sessionOf(video: HTMLVideoElement): { session: Session; reports: Reports; end(): void } | undefined {
  const { doNotTrack, globalPrivacyControl } = navigator as Navigator & { globalPrivacyControl?: boolean };
  if (doNotTrack === '1' || globalPrivacyControl === true || typeof crypto === 'undefined') return undefined;
  const name = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join('');
  const session = new Session(name);
  const reports = new Reports();
  const now = (): number => performance.now();
  let started = false;
  const wants = (): void => {
    session.wants(now());
    if (!started) reports.does('s');
  };
  const plays = (): void => {
    started = true;
    session.plays(now());
    reports.does('p');
  };
  const stands = (): void => {
    if (video.seeking || video.paused || !isDry(video)) return;
    session.stands(now());
    if (started) reports.does('r');
  };
  const left = (): void => reports.does('q');
  if (!video.paused) wants();
  const heard: [string, () => void][] = [
    ['play', wants],
    ['playing', plays],
    ['waiting', stands],
    ['pause', () => (session.stops(now()), reports.does(video.ended ? 'e' : 'a'))],
    ['ended', () => reports.does('e')],
    ['seeking', () => session.stops(now())],
  ];
  for (const [event, listener] of heard) video.addEventListener(event, listener);
  window.addEventListener('pagehide', left);
  const end = (): void => {
    heard.forEach(([event, listener]) => video.removeEventListener(event, listener));
    window.removeEventListener('pagehide', left);
    left();
  };
  return { session, reports, end };
}

/**
 * What requests cannot tell (CMCD, CTA-5004-A, event mode): how long answers took to come, which never came, and what became of a session
 * that asks for nothing any more. Some lines at a time, to the node that the page is from. No session's name is with them, nothing is
 * kept on the device, and what could not be sent is forgotten.
 */

import { kindOf } from './cmcd';
import { tell } from './tell';

/** What the player does, as the standard has it: starts, plays, stands still for want of data, is stopped, is over, has failed, is left. */
export type Doing = 's' | 'p' | 'r' | 'a' | 'e' | 'f' | 'q';

/** Of answers that came one in so many is told: enough to know a line by, little enough for the line. Those that did not come all are. */
const ONE_IN = 8;

/** Lines of one report; nodes read 48. */
const MAX_LINES = 40;

/** How long a line waits for others, in milliseconds. */
const EVERY_MS = 60_000;

/** Times are rounded, as all that is told: nothing finer is anybody's business. */
const ROUND_MS = 10;

export class Reports {
  private lines: string[] = [];
  private doing: Doing | '' = '';
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Nobody listens there. */
  private refused = false;

  constructor(
    private readonly say: (report: string) => Promise<{ status: number }> = (report) => tell('/cmcd', report),
    private readonly draw: () => number = Math.random,
  ) {}

  /** An answer to a question for a segment: its status, 0 where none came, and milliseconds to its first and last byte. */
  answered(url: string, status: number, firstMs?: number, lastMs?: number): void {
    const path = kindOf(url) && /\/p\/.*$/.exec(url)?.[0];
    const well = status >= 200 && status < 300;
    if (!path || (well && this.draw() * ONE_IN >= 1)) return;
    const time = (key: string, ms: number | undefined): string => (ms !== undefined && ms >= 0 ? `${key}=${Math.round(ms / ROUND_MS) * ROUND_MS},` : '');
    this.note(`e=rr,rc=${status},`, `${time('ttfb', firstMs)}${time('ttlb', lastMs)}url="${path}",`);
  }

  /** The player does something else. When it is left, all that is still untold is told. */
  does(doing: Doing): void {
    if (doing === this.doing || this.doing === 'q') return;
    const was = doing === 'q' && this.doing ? `com.airclass-was=${this.doing},` : '';
    // Who never began has nothing to leave.
    if (doing !== 'q' || this.doing) this.note(`${was}e=ps,sta=${doing},`, '');
    this.doing = doing;
    if (doing === 'q') this.flush();
  }

  private note(before: string, after: string): void {
    if (this.refused || this.lines.length >= MAX_LINES) return;
    this.lines.push(`${before}ts=${Math.round(Date.now() / 1_000) * 1_000},${after}v=2`);
    this.timer ??= setTimeout(() => this.flush(), EVERY_MS);
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const report = this.lines.join('\n');
    this.lines = [];
    if (report) void this.say(report).then(({ status }) => (this.refused ||= status >= 400 && status < 500));
  }
}

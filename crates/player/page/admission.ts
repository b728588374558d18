/** A lesson's pointer that answers "not yet", because it opens later or others come first: what it says, and how to come again. Pure. */

/** What is told to a session that may not begin yet. */
export interface Waiting {
  /** Until it is worth asking again. */
  waitMs: number;
  /** How many are before; null where it is the slot that has not begun. */
  ahead: number | null;
  /** The place in line, to be brought back; empty where there is none. */
  ticket: string;
  /** "Continue anyway" may work. */
  soft: boolean;
  /** The television channel that shows the lesson; empty where none does. */
  channel: string;
  /** When it shows it first, in milliseconds since 1970; null where that is not told. */
  airsAt: number | null;
  /** When it is shown again, in milliseconds since 1970; null where it is not. */
  replayAt: number | null;
  /** When the lesson opens to everybody, in milliseconds since 1970; null where it is open, and only the turn has not come. */
  opensAt: number | null;
  /** What the lesson is called; empty where that is not told. */
  title: string;
}

/** The HTTP status of such answers: before the turn, and before the lesson opens. */
const [TURN, CLOSED] = [503, 403];

/**
 * The longest wait before asking again, in milliseconds: a lesson that is moved to an earlier hour is found within it. The
 * countdown goes on to the hour that was told.
 */
export const LONGEST_WAIT_MS = 600_000;

/** The longest title or name that is shown, in characters. */
const MAX_SHOWN = 80;

/** Longer answers are none of ours. */
const MAX_CHARS = 4_096;

/** As the edge writes them. */
const TICKET = /^[0-9a-z.]{1,128}$/;

/** What an edge is asked for, so that it says "not yet" in a way that a page can read. */
export const ACCEPT = 'application/vnd.apple.mpegurl, application/json;q=0.9, */*;q=0.8';

/** What an answer says; undefined where it says something else. */
export function parseWaiting(status: number, body: string): Waiting | undefined {
  if ((status !== TURN && status !== CLOSED) || body.length > MAX_CHARS) return undefined;
  let said: Record<string, unknown> | null;
  try {
    said = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof said !== 'object' || said === null) return undefined;
  if (status === CLOSED) return said.error === 'not_open_yet' ? closed(said) : undefined;
  if (said.error !== 'waiting') return undefined;
  const seconds = count(said.wait_s);
  if (seconds === null) return undefined;
  return {
    waitMs: Math.max(1, seconds) * 1_000,
    ahead: count(said.ahead),
    ticket: typeof said.ticket === 'string' && TICKET.test(said.ticket) ? said.ticket : '',
    soft: said.soft === true,
    channel: shown(said.channel),
    airsAt: null,
    replayAt: moment(said.replay),
    opensAt: null,
    title: shown(said.title),
  };
}

/** A lesson that opens later, to everybody at once. */
function closed(said: Record<string, unknown>): Waiting | undefined {
  const [seconds, opensAt] = [count(said.retry_after_s), moment(said.opens_at)];
  if (seconds === null || opensAt === null) return undefined;
  const airings = (Array.isArray(said.airings) ? said.airings : []).filter((airing) => typeof airing === 'object' && airing !== null);
  const [first, again] = [airings.find(({ again }) => again !== true), airings.find(({ again }) => again === true)];
  return {
    waitMs: Math.max(1, seconds) * 1_000,
    ahead: null,
    ticket: '',
    soft: false,
    channel: shown((first ?? again)?.channel),
    airsAt: moment(first?.at),
    replayAt: moment(again?.at),
    opensAt,
    title: shown(said.title),
  };
}

/** Where to ask with the place that one has, or to go on anyway. */
export function comeAgain(url: string, ticket: string, anyway = false): string {
  const parts = [ticket && `ticket=${ticket}`, anyway && 'continue=1'].filter(Boolean);
  return parts.length > 0 ? `${url}?${parts.join('&')}` : url;
}

function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.ceil(value) : null;
}

function moment(value: unknown): number | null {
  const at = typeof value === 'string' ? Date.parse(value) : NaN;
  return Number.isFinite(at) ? at : null;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, MAX_SHOWN) : '';
}

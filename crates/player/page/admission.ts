/** A lesson's pointer that answers "not yet": what it says, and how to come again. Pure. */

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
  /** When it is shown again, in milliseconds since 1970; null where it is not. */
  replayAt: number | null;
}

/** The HTTP status of such an answer. */
const STATUS = 503;

/** Longer answers are none of ours. */
const MAX_CHARS = 4_096;

/** As the edge writes them. */
const TICKET = /^[0-9a-z.]{1,128}$/;

/** What an edge is asked for, so that it says "not yet" in a way that a page can read. */
export const ACCEPT = 'application/vnd.apple.mpegurl, application/json;q=0.9, */*;q=0.8';

/** What an answer says; undefined where it says something else. */
export function parseWaiting(status: number, body: string): Waiting | undefined {
  if (status !== STATUS || body.length > MAX_CHARS) return undefined;
  let said: Record<string, unknown> | null;
  try {
    said = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof said !== 'object' || said === null || said.error !== 'waiting') return undefined;
  const seconds = count(said.wait_s);
  if (seconds === null) return undefined;
  const replay = typeof said.replay === 'string' ? Date.parse(said.replay) : NaN;
  return {
    waitMs: Math.max(1, seconds) * 1_000,
    ahead: count(said.ahead),
    ticket: typeof said.ticket === 'string' && TICKET.test(said.ticket) ? said.ticket : '',
    soft: said.soft === true,
    channel: typeof said.channel === 'string' ? said.channel.slice(0, 80) : '',
    replayAt: Number.isFinite(replay) ? replay : null,
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

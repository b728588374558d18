/**
 * The one place from which the page says anything: three papers of a closed form, two because somebody wished it (a class code,
 * 报告问题), one of how lines are (`cmcd-reports`). Nothing goes with them: no cookie, no referrer, nothing that two of them have in common.
 */

/** Longest answer that is read, in characters. */
const MAX_ANSWER_CHARS = 1_000;

/** How long an answer may take, in milliseconds: somebody may be looking at "sending". */
const PATIENCE_MS = 20_000;

/** The answer, its status 0 where none came. Never throws. Goes on while the page is being left. */
export async function tell(path: '/coverage' | '/feedback' | '/cmcd', paper: object | string): Promise<{ status: number; json: unknown }> {
  const [body, type] = typeof paper === 'string' ? [paper, 'application/cmcd'] : [JSON.stringify(paper), 'application/json'];
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE_MS);
  try {
    const answer = await fetch(path, {
      method: 'POST', body, headers: { 'Content-Type': type }, signal: stop.signal,
      credentials: 'omit', referrerPolicy: 'no-referrer', cache: 'no-store', keepalive: true,
    });
    const text = await answer.text().catch(() => '');
    let json: unknown;
    try {
      json = text.length <= MAX_ANSWER_CHARS ? JSON.parse(text) : undefined;
    } catch {
      // No paper of ours.
    }
    return { status: answer.status, json };
  } catch {
    return { status: 0, json: undefined };
  } finally {
    clearTimeout(timer);
  }
}

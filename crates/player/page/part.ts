/** Parts of the page itself, which are fetched by those who want them and may not arrive. */

import { Alarm } from './alarm';
import { readJson } from './network';
import { MAX_ATTEMPTS, startsOver, waitBefore } from './recovery';

/** `PerformanceNavigation.TYPE_RELOAD`: the page was fetched anew. */
const RELOADED = 1;

/** Whether failure `attempt` (0 first) to get a part is answered by fetching the page anew. */
export function wantsPageAnew(attempt: number): boolean {
  return startsOver(attempt, performance.navigation?.type === RELOADED);
}

/** The page anew, if it is wanted still and there is a line to fetch it by. */
export async function pageAnew(isWanted: () => boolean): Promise<void> {
  const { ok } = await readJson('/catalogue/version.json', 'no-cache');
  if (ok && isWanted()) location.reload();
}

/**
 * Asks for a part until it comes, at most `MAX_ATTEMPTS` times after waits that grow; `failed` hears of each that failed (0 first). The
 * result ends the asking.
 */
export function fetchPart<T>(ask: () => Promise<T>, came: (part: T) => void, failed: (attempt: number) => void = () => undefined): () => void {
  const next = new Alarm();
  let gone = false;
  const attempt = (number: number): void => {
    ask().then(
      (part) => gone || came(part),
      () => {
        if (gone) return;
        if (number + 1 < MAX_ATTEMPTS) next.set(waitBefore(number, Math.random()), () => attempt(number + 1));
        failed(number);
      },
    );
  };
  attempt(0);
  return () => {
    gone = true;
    next.cancel();
  };
}

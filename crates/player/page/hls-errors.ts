/** What hls.js's errors mean to a lesson. */

import Hls, { type ErrorData } from 'hls.js';
import { troubleOf, type Download, type Trouble } from './recovery';

/** What failed: a playlist counts as what it lists, except the lesson's own. */
export function downloadOf({ details, frag, context }: ErrorData): Download {
  if (details.startsWith('manifest')) return 'playlist';
  return frag?.type === 'audio' || context?.type === 'audioTrack' ? 'sound' : 'picture';
}

/** A missing pointer is a missing lesson; a missing part of one that was there a moment ago is our fault. */
export function troubleBehind(data: ErrorData, status: number): Trouble {
  const details = Hls.ErrorDetails;
  if (data.details === details.MANIFEST_PARSING_ERROR || data.details === details.LEVEL_PARSING_ERROR) return 'damaged';
  const trouble = troubleOf(status >= 400 ? status : undefined);
  return trouble === 'missing' && data.details !== details.MANIFEST_LOAD_ERROR ? 'damaged' : trouble;
}

/** `Retry-After` of the answer, where hls.js asked with an XMLHttpRequest as it does by default. */
export function retryAfterHeader(details: unknown): string | null {
  return details instanceof XMLHttpRequest && details.status >= 400 ? details.getResponseHeader('retry-after') : null;
}

/** What an answer says beside its status, where hls.js asked with an XMLHttpRequest. */
export function bodyOf(details: unknown): string {
  const text = details instanceof XMLHttpRequest && (details.responseType === '' || details.responseType === 'text');
  return text ? details.responseText : '';
}

/** Which view the address names. Routes live in the fragment, so one cached page serves them all. */

export type Route = { view: 'list'; filter: Filter } | { view: 'lesson'; id: string } | { view: 'kept' } | { view: 'resources' };

/** What the pupil asked the list to show. An empty string means "all". */
export interface Filter {
  section: string;
  stage: string;
  grade: string;
  subject: string;
  query: string;
}

export const NO_FILTER: Filter = { section: '', stage: '', grade: '', subject: '', query: '' };

/** Lesson identifiers as the store writes them; anything else never becomes part of a URL. */
const LESSON_ID = /^[a-z0-9._-]{1,64}$/;

/** Longest search text kept in the address. */
const MAX_QUERY_CHARS = 80;

/** The route of a location's fragment (with or without `#`). Anything unknown is the whole list. */
export function parseRoute(fragment: string): Route {
  const path = fragment.replace(/^#?\/?/, '');
  // What chats and short links put behind an address is none of ours.
  const name = path.replace(/\/?(\?.*)?$/, '');
  const lesson = /^lesson\/([^/]+)$/.exec(name);
  if (lesson && LESSON_ID.test(lesson[1]!)) return { view: 'lesson', id: lesson[1]! };
  if (name === 'kept' || name === 'resources') return { view: name };
  const params = new URLSearchParams(path.startsWith('?') ? path : '');
  const text = (key: string): string => (params.get(key) ?? '').slice(0, MAX_QUERY_CHARS);
  return { view: 'list', filter: { section: text('section'), stage: text('stage'), grade: text('grade'), subject: text('subject'), query: text('q') } };
}

/** The fragment of a lesson. */
export function lessonRoute(id: string): string {
  return `#/lesson/${id}`;
}

/** The fragment of the list under a filter. */
export function listRoute(filter: Filter): string {
  const params = new URLSearchParams();
  if (filter.section) params.set('section', filter.section);
  if (filter.stage) params.set('stage', filter.stage);
  if (filter.grade) params.set('grade', filter.grade);
  if (filter.subject) params.set('subject', filter.subject);
  if (filter.query) params.set('q', filter.query.slice(0, MAX_QUERY_CHARS));
  const text = params.toString();
  return text ? `#/?${text}` : '#/';
}

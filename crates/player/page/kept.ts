/** The view of what is on the device: lessons that were kept, and a file to open. */

import type { Context } from './context';
import { h, icon, replace } from './dom';
import { bytes } from './format';
import { sourceOf } from './offline/pieces';
import { readTar } from './offline/tar';
import { Shelf, type Kept } from './offline/shelf';
import { lessonRoute } from './route';
import { Today } from './today';
import { playBundle } from './watch';
import { keptWordsIn } from './words-kept';

/** Opens the view in `place`; the result closes it. */
export function openKept(context: Context, place: HTMLElement): () => void {
  const { words } = context;
  const ofKept = keptWordsIn(context.language);
  let gone = false;
  let stop: (() => void) | undefined;
  const list = h('ul', { class: 'kept' });
  const said = h('p', { class: 'quiet', role: 'status' });
  const file = h('input', { type: 'file', accept: '.tar,application/x-tar', class: 'kept-file', id: 'kept-file', onchange: () => void openFile() });
  const heading = h('h1', { tabindex: -1 }, words.keptTitle);
  const under = h('div', { class: 'under' }, heading, h('p', {}, ofKept.keptWhy), list, new Today(context).root, h('p', {}, h('label', { for: 'kept-file' }, ofKept.keptFile), ' ', file), said);
  replace(place, h('p', { class: 'crumbs' }, h('a', { href: '#/', class: 'back' }, icon('back'), words.backToList)), under);
  document.title = `${words.keptTitle} · ${words.site}`;
  heading.focus({ preventScroll: true });
  void fill();

  return () => {
    gone = true;
    stop?.();
  };

  async function fill(): Promise<void> {
    const shelf = await Shelf.open();
    const lessons = await shelf?.all().catch(() => []);
    if (gone) return;
    if (!shelf || !lessons || lessons.length === 0) said.textContent = shelf ? ofKept.keptNone : ofKept.keptForbidden;
    replace(list, ...(lessons ?? []).map((kept) => row(kept)));
    shelf?.close();
  }

  function row(kept: Kept): HTMLElement {
    const state = kept.done ? bytes(kept.total) : ofKept.keeping(bytes(kept.received), kept.total > 0 ? bytes(kept.total) : '…');
    const drop = async (): Promise<void> => {
      const shelf = await Shelf.open();
      await shelf?.remove(kept.id).catch(() => undefined);
      shelf?.close();
      if (gone) return;
      await fill();
      // What was pressed is gone.
      (list.querySelector('button') ?? heading).focus();
    };
    return h(
      'li',
      { 'data-kept': kept.id },
      h('a', { href: lessonRoute(kept.id) }, kept.title),
      h('span', { class: 'quiet' }, ` ${state} `),
      h('button', { type: 'button', class: 'button small', 'aria-label': `${ofKept.keepDrop}: ${kept.title}`, onclick: () => void drop() }, ofKept.keepDrop),
    );
  }

  async function openFile(): Promise<void> {
    const chosen = file.files?.[0];
    if (!chosen) return;
    const source = sourceOf(chosen);
    const members = await readTar(source).catch(() => undefined);
    if (gone) return;
    if (!members?.has('lesson.m3u8')) {
      said.textContent = ofKept.keptNoLesson;
      return;
    }
    stop = playBundle(context, { file: source, members }, chosen.name.replace(/\.tar$/, ''), place);
  }
}

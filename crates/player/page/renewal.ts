/** Where a lesson plays from the device, and has another edition by now: what is said of it, and the way to that. */

import type { Context } from './context';
import { h } from './dom';
import { packageOf } from './mode';
import { Shelf, type Kept } from './offline/shelf';

const zh = {
  renewed: '这节课已有新版，现在播放的是以前存下的旧版。',
  renew: '换成新版',
};

const en: typeof zh = {
  renewed: 'There is a newer edition of this lesson. This is the one that was kept before.',
  renew: 'Keep the newer one instead',
};

/** The folder of the package that a lesson is by now, as its `lesson.json` says; undefined where it says none. Pure. */
export function folderIn(described: unknown): string | undefined {
  const { package: id } = (described ?? {}) as Record<string, unknown>;
  return packageOf(`/p/${id}/`);
}

/** The line that says so; undefined where what was kept is the lesson as it is `described`. */
export function renewal({ language }: Context, kept: Kept, described: unknown): HTMLElement | undefined {
  const folder = folderIn(described);
  if (!folder || folder === kept.folder) return undefined;
  const words = language === 'en' ? en : zh;
  const button = h('button', { type: 'button', class: 'button small', 'data-control': 'renew', onclick: () => void renew({ ...kept, folder }) }, words.renew);
  return h('div', { class: 'keep' }, h('p', { role: 'status' }, words.renewed), h('div', { class: 'keep-actions' }, button));
}

/** The lesson plays from the line then, and what is begun here goes on under it. */
async function renew(kept: Kept): Promise<void> {
  const shelf = await Shelf.open();
  await shelf?.remove(kept.id).catch(() => undefined);
  await shelf?.write({ ...kept, total: 0, received: 0, parts: 0, notBefore: 0, done: false }).catch(() => undefined);
  location.reload();
}

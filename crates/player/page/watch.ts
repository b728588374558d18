/** The view of one lesson: the player, what the lesson is, and what watching it takes. */

import { parseLesson, type Lesson } from './catalogue';
import type { Context } from './context';
import { levelName } from './controls';
import { KEY as CLASS } from './class-door';
import type { Counting } from './counting';
import { h, icon, replace, setText } from './dom';
import { bitRate, bytes, clock, minutes } from './format';
import { gradeName } from './grouping';
import type { Keep } from './keep';
import { hasPictures } from './mode';
import { readJson } from './network';
import type { Bundle } from './offline/loader';
import { fileOf, Shelf, type Kept } from './offline/shelf';
import { readTar } from './offline/tar';
import { fetchPart } from './part';
import { Player } from './player';
import { gradeLabel, stageName, subjectLabel, volumeLabel } from './words';

/** How often the place is noted while playing, in seconds of the lesson. */
const NOTE_EVERY_S = 5;

/**
 * How often a lesson is asked what it is. "Not open yet" may be kept for half a minute on the way, also when the timetable has moved
 * the lesson to an earlier hour meanwhile.
 */
const MOST_DESCRIBED = 8;

/** Opens a lesson in `place`, from the device where it is kept; `named` as it was called where it was chosen. The result closes it. */
export function openLesson(context: Context, id: string, place: HTMLElement, named?: string): () => void {
  let gone = false;
  let close: (() => void) | undefined;
  place.textContent = '';
  void keptBundle(id).then((kept) => {
    if (gone) return kept?.bundle.file.close?.();
    close = playLesson(context, id, place, kept?.bundle, named ?? kept?.kept.title, kept?.kept);
  });
  return () => {
    gone = true;
    close?.();
  };
}

/** Plays a bundle that somebody opened. */
export function playBundle(context: Context, bundle: Bundle, title: string, place: HTMLElement): () => void {
  return playLesson(context, FILE, place, bundle, title);
}

/** The id of a lesson that is known by its file alone: no lesson of the store is called so. */
const FILE = '.file';

async function keptBundle(id: string): Promise<{ bundle: Bundle; kept: Kept } | undefined> {
  const shelf = await Shelf.open();
  try {
    const kept = await shelf?.find(id);
    if (!kept?.done) return undefined;
    const file = fileOf(kept);
    const members = await readTar(file).catch(() => undefined);
    if (members) return { bundle: { file, members }, kept };
    file.close();
    return undefined;
  } catch {
    return undefined;
  } finally {
    shelf?.close();
  }
}

function playLesson(context: Context, id: string, place: HTMLElement, bundle: Bundle | undefined, named?: string, kept?: Kept): () => void {
  const { words, state, positions, store, meter, reporting } = context;
  const startAt = positions.resumeAt(id);
  let title = named ?? positions.find(id)?.title ?? id;
  let noted = startAt;
  let described = false;
  let asked = 0;
  let asking = false;

  const heading = h('h1', { tabindex: -1 }, title);
  const about = h('div', { class: 'about' });
  const readout = new Readout(context);
  const player = new Player({ url: `/lessons/${id}/main.m3u8`, lesson: id, startAt, words, state, store, reporting, bundle, called });
  const counted = h('div');
  const keeping = h('div');
  let keep: Keep | undefined;
  let stopKeeping: (() => void) | undefined;
  let counting: Counting | undefined;
  let stopCounting: (() => void) | undefined;
  const resumed = startAt > 0 && resumedStrip();
  replace(
    place,
    h('p', { class: 'crumbs' }, h('a', { href: '#/', class: 'back' }, icon('back'), words.backToList)),
    player.root,
    h('div', { class: 'under' }, resumed, bundle && h('p', { class: 'from-device', role: 'status' }, words.fromDevice), heading, about, player.below, readout.root, counted, keeping),
  );
  entitle(title);

  state.set({ lesson: id });
  meter.restart();
  const stopListening = state.listen(() => {
    readout.draw();
    if (state.now.package) offerToKeep(state.now.package);
  });
  const { video } = player;
  // A lesson that was not open yet when it was asked for is described once it plays.
  video.addEventListener('loadedmetadata', () => {
    void describe();
    if (resumed && startAt >= video.duration) resumed.remove();
  });
  video.addEventListener('timeupdate', () => {
    if (video.paused || Math.abs(video.currentTime - noted) < NOTE_EVERY_S) return;
    note();
    // What is on the device has its title, and no network perhaps.
    if (!bundle) void describe();
  });
  for (const event of ['pause', 'ended', 'seeked']) video.addEventListener(event, note);
  window.addEventListener('pagehide', note);
  document.addEventListener('visibilitychange', note);
  heading.focus({ preventScroll: true });
  void player.start();
  void describe();

  return () => {
    note();
    window.removeEventListener('pagehide', note);
    document.removeEventListener('visibilitychange', note);
    stopListening();
    stopCounting?.();
    counting?.close();
    player.destroy();
    bundle?.file.close?.();
    stopKeeping?.();
    keep?.close();
    state.reset();
  };

  function note(): void {
    const { currentTime, duration } = video;
    if (!(duration > 0) || id === FILE) return;
    noted = currentTime;
    positions.note(id, title, currentTime, duration);
  }

  /** Before its own description may be read. */
  function called(text: string): void {
    if (described) return;
    title = text;
    entitle(text);
  }

  function entitle(text: string): void {
    setText(heading, text);
    document.title = `${text} · ${words.site}`;
  }

  /** The lesson plays without its description, should that be missing. */
  async function describe(): Promise<void> {
    if (described || asking || id === FILE || asked >= MOST_DESCRIBED) return;
    asking = true;
    asked += 1;
    const answer = await readJson(`/lessons/${id}/lesson.json`, asked > 1 ? 'no-cache' : 'default');
    asking = false;
    const lesson = answer.ok ? parseLesson(answer.json) : undefined;
    if (!lesson || state.now.lesson !== id) return;
    described = true;
    title = lesson.title;
    entitle(title);
    replace(about, ...describeLesson(context, lesson));
    announceToSystem(lesson, player, words.site);
    count(lesson.grade);
    // What is on the device is as it was when it was kept; who is on a line hears of another edition.
    if (__EXTRAS__ && kept) {
      const now = answer.ok && answer.json;
      stopKeeping = fetchPart(
        () => import('./extras'),
        ({ renewal }) => replace(keeping, renewal(context, kept, now)),
      );
    }
  }

  /** The lesson's package is known: there is a line by which it may be kept. */
  function offerToKeep(folder: string): void {
    void keep?.offer(folder);
    stopKeeping ??= fetchPart(
      () => import('./keep'),
      ({ Keep }) => {
        keep = new Keep(context, id, () => title);
        replace(keeping, keep.root);
        if (state.now.package) void keep.offer(state.now.package);
      },
    );
  }

  /** For the class, where there is one. What is on the device asks nobody, and tells nobody. */
  function count(grade: string): void {
    if (bundle || stopCounting || store.read(CLASS) === undefined) return;
    stopCounting = fetchPart(
      () => import('./counting'),
      ({ Counting }) => {
        counting = new Counting(context, id, video);
        replace(counted, counting.root);
        counting.begin(grade);
      },
    );
  }

  function resumedStrip(): HTMLElement {
    const strip = h(
      'p',
      { class: 'resumed' },
      h('span', {}, words.resumed(clock(startAt))),
      h(
        'button',
        {
          type: 'button', class: 'button small', 'data-control': 'restart',
          onclick: () => {
            player.run({ do: 'seek', tenth: 0 });
            strip.remove();
          },
        },
        words.fromStart,
      ),
    );
    return strip;
  }
}

function describeLesson({ words, language }: Context, lesson: Lesson): HTMLElement[] {
  const place = [
    stageName(lesson.stage, language),
    gradeLabel(gradeName(lesson.grade), language),
    lesson.subject && subjectLabel(lesson.subject, language),
    lesson.edition,
    volumeLabel(lesson.volume, language),
    lesson.unit,
  ].filter(Boolean);
  const rest = [
    lesson.teacher && words.teacher(lesson.teacher),
    lesson.durationMs > 0 && words.minutes(minutes(lesson.durationMs)),
    lesson.provider,
    lesson.licence,
  ];
  return [
    h('p', { class: 'trail' }, ...place.map((part) => h('span', {}, part))),
    h('p', { class: 'quiet' }, ...rest.filter(Boolean).map((part) => h('span', {}, part as string))),
  ];
}

/** What the lesson takes from the network, and what it gives for it. */
class Readout {
  readonly root: HTMLElement;
  private readonly quality = h('dd', { 'data-readout': 'quality' });
  private readonly buffer = h('dd', { 'data-readout': 'buffer' });
  private readonly downloaded = h('dd', { 'data-readout': 'bytes' });
  private readonly downloadedRow: HTMLElement;

  constructor(private readonly context: Context) {
    const { words } = context;
    const row = (name: string, value: HTMLElement): HTMLElement => h('div', {}, h('dt', {}, name), value);
    this.downloadedRow = row(words.readoutBytes, this.downloaded);
    this.root = h('dl', { class: 'readout' }, row(words.readoutQuality, this.quality), row(words.readoutBuffer, this.buffer), this.downloadedRow);
    this.draw();
  }

  draw(): void {
    const { words, state } = this.context;
    const { engine, level, buffered, bytes: count, mode } = state.now;
    const quality = !hasPictures(mode) ? words.modes[mode].name : level ? `${levelName(level)} · ${bitRate(level.bitRate)}` : engine === 'native' ? words.qualityBySystem : '—';
    setText(this.quality, quality);
    setText(this.buffer, words.seconds(Math.round(buffered)));
    this.downloadedRow.hidden = count === null;
    setText(this.downloaded, bytes(count ?? 0));
  }
}

/** Title and keys for the lock screen and headsets, where the system has such. */
function announceToSystem(lesson: Lesson, player: Player, site: string): void {
  const { mediaSession } = navigator as { mediaSession?: MediaSession };
  if (!mediaSession || typeof MediaMetadata === 'undefined') return;
  mediaSession.metadata = new MediaMetadata({ title: lesson.title, artist: lesson.teacher || site, album: lesson.subject });
  const handle = (action: MediaSessionAction, seconds: number): void => {
    try {
      mediaSession.setActionHandler(action, () => player.run({ do: 'skip', seconds }));
    } catch {
      // An action that this system does not know.
    }
  };
  handle('seekbackward', -10);
  handle('seekforward', 10);
}

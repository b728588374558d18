/** The day's bells: how long until the next, and how much of what it needs is here. */

import { bar, fill, h, part, rows, say, set } from '../dom';
import { bytes, countdown, percent } from '../format';
import type { Bell } from '../source';
import type { MakeSection, View } from '../view';
import { card } from './card';

/** Bells in the list before the next one, so that a long day stays on the screen. */
const PAST = 2;
const LISTED = 12;

const time = (bell: Bell) => bell.local.slice(11);
const at = (bell: Bell) => Date.parse(bell.bell);

export const bells: MakeSection = (words) => {
  const label = h('p', { class: 'label' });
  const left = h('p', { class: 'countdown', role: 'timer' });
  const share = bar();
  const ready = h('p', { class: 'note' });
  const list = h('ol', { class: 'list' });
  const element = card('bells', words.bells, label, left, share, ready, list);
  const make = () => h('li', {}, h('span', { class: 'time' }), h('span', { class: 'count' }), h('span', { class: 'state' }), h('span', { class: 'ready' }));
  const readiness = (bell: Bell) => (bell.ready_ratio === null ? words.notFilled : percent(bell.ready_ratio, 2));

  const show = (row: Element, bell: Bell, now: number) => {
    const seconds = (at(bell) - now) / 1000;
    const lacks = bell.ready_ratio !== null && bell.ready_ratio < 1;
    set(row, 'data-bell', bell.local);
    set(row, 'class', `${seconds <= 0 ? 'past' : ''} ${lacks ? 'lacks' : ''}`.trim());
    say(part(row, 'time'), time(bell));
    say(part(row, 'count'), words.lessons(bell.lessons));
    const ready = part(row, 'ready');
    say(ready, readiness(bell));
    set(ready, 'data-ratio', bell.ready_ratio ?? undefined);
    const minutes = Math.ceil(seconds / 60);
    const away = minutes < 60 ? words.minutes(minutes) : words.hours(Math.floor(minutes / 60), minutes % 60);
    say(part(row, 'state'), seconds <= 0 ? words.opened : words.inTime(away));
  };

  const tick = ({ status, now }: View) => {
    const next = status.bells.find((bell) => at(bell) > now);
    left.hidden = !next;
    share.hidden = ready.hidden = !next || next.ready_ratio === null;
    if (!next) {
      say(label, status.zone_s === null ? words.noPlan : status.bells.length === 0 ? words.noBells : words.rung);
      return;
    }
    say(label, `${words.next} ${time(next)} · ${words.lessons(next.lessons)}`);
    say(left, countdown((at(next) - now) / 1000));
    if (next.ready_ratio !== null) {
      fill(share, next.ready_ratio);
      share.className = `bar ${next.ready_ratio < 1 ? 'warn' : ''}`;
      const amount = `${bytes(next.held_bytes ?? 0)} / ${bytes(next.wanted_bytes ?? 0)}`;
      say(ready, `${words.readiness} ${readiness(next)} · ${amount}`);
    }
  };
  return {
    element,
    tick,
    update(view) {
      const { status, now } = view;
      const first = status.bells.findIndex((bell) => at(bell) > now);
      const from = Math.max(0, (first < 0 ? status.bells.length : first) - PAST);
      rows(list, status.bells.slice(from, from + LISTED), make, (row, bell) => show(row, bell, now));
      list.hidden = status.bells.length === 0;
      tick(view);
    },
  };
};

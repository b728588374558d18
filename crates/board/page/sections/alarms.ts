/** What wants attention, those first that cannot wait; or that nothing does. */

import { h, part, rows, say, set } from '../dom';
import { gathered, type Gathered } from '../gathered';
import type { MakeSection } from '../view';

export const alarms: MakeSection = (words, language) => {
  const list = h('ul', {});
  const calm = h('p', { class: 'calm' }, h('span', { class: 'dot good', 'aria-hidden': 'true' }), words.calm);
  const element = h('section', { class: 'alarms', 'aria-label': words.alarms, 'aria-live': 'polite' }, list, calm);
  const make = () =>
    h(
      'li',
      { class: 'alarm' },
      h('span', { class: 'when' }),
      h('div', { class: 'what' }, h('p', { class: 'name' }), h('p', { class: 'detail' }), h('p', { class: 'do' })),
      h('a', { class: 'runbook', target: '_blank', rel: 'noopener' }, words.runbook),
    );
  const show = (row: Element, { of: alarm, told, more }: Gathered) => {
    set(row, 'data-alarm', alarm.alarm);
    set(row, 'data-severity', alarm.severity);
    say(part(row, 'when'), alarm.severity === 'page' ? words.now : words.today);
    say(part(row, 'name'), alarm[language]);
    say(part(row, 'detail'), (more > 0 ? [...told, words.more(more)] : told).join('\n'));
    say(part(row, 'do'), alarm[`do_${language}`]);
    const link = part(row, 'runbook');
    set(link, 'href', alarm.runbook);
    set(link, 'aria-label', `${words.runbook}: ${alarm[language]}`);
  };
  return {
    element,
    update({ status }) {
      calm.hidden = status.alarms.length > 0;
      rows(list, gathered(status.alarms, language), make, show);
    },
  };
};

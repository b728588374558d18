/** 班级学情: a class code, if somebody wishes; what is counted and what is not; the way out. */

import type { Context } from './context';
import { joinClass, leaveClass, readClass } from './counting';
import { parseCode } from './coverage';
import { h, replace, setText } from './dom';
import { classWordsIn } from './words-class';

/** Fills `place` with it. */
export function fillClass(context: Pick<Context, 'language' | 'store'>, place: HTMLElement): void {
  const words = classWordsIn(context.language);
  const { store } = context;
  const choice = h('div');
  const said = h('p', { role: 'status', id: 'class-said' });
  replace(place, h('p', {}, words.classWhy), h('ul', {}, ...words.classCounts.map((line) => h('li', {}, line))), choice, said);
  draw();

  function draw(): void {
    const joined = readClass(context);
    replace(choice, joined ? wayOut(joined.code) : form());
  }

  function wayOut(code: string): HTMLElement {
    const leave = (): void => {
      leaveClass(store);
      draw();
      setText(said, words.classLeft);
      choice.querySelector('input')?.focus();
    };
    return h('p', {}, words.classJoined(code), ' ', h('button', { type: 'button', class: 'button small', 'data-control': 'leave-class', onclick: leave }, words.classLeave));
  }

  function form(): HTMLElement {
    const input = h('input', { type: 'text', id: 'class-code', autocomplete: 'off', autocapitalize: 'characters', spellcheck: 'false', maxlength: 20, 'aria-describedby': 'class-said' });
    const join = (event: Event): void => {
      event.preventDefault();
      const parsed = parseCode(input.value);
      if ('trouble' in parsed) return setText(said, words.classTrouble[parsed.trouble]);
      if (!joinClass(store, parsed.code)) return setText(said, words.classForbidden);
      draw();
      setText(said, '');
      choice.querySelector('button')?.focus();
    };
    return h('form', { onsubmit: join }, h('label', { for: 'class-code' }, words.classLabel), ' ', input, ' ', h('button', { type: 'submit', class: 'button small', 'data-control': 'join-class' }, words.classJoin));
  }
}

/**
 * What stands over the picture: opening, buffering, or what went wrong and what to do. A problem that leaves something to
 * play is a strip at the top; one that stops the lesson is a panel.
 */

import { moment, passed } from './alarm';
import type { Problem } from './engine';
import { h, setAttribute, setText } from './dom';
import type { Reporting } from './reporting';
import type { Advice, Words } from './words';

export class Notice {
  readonly root: HTMLElement;
  private readonly what = h('p', { class: 'notice-what' });
  private readonly help = h('p', { class: 'notice-help' });
  private readonly elsewhere = h('p', { class: 'notice-help', hidden: true });
  private readonly count = h('p', { class: 'notice-count', 'aria-live': 'off' });
  private readonly retry: HTMLButtonElement;
  private readonly goOn: HTMLButtonElement;
  private readonly back: HTMLAnchorElement;
  private readonly kept: HTMLAnchorElement;
  private readonly report: HTMLButtonElement;
  private timer = 0;

  constructor(private readonly words: Words, reporting: Reporting, onRetry: () => void, onGoOn: () => void) {
    this.retry = h('button', { type: 'button', class: 'button primary', 'data-control': 'retry', onclick: onRetry }, words.retry);
    this.goOn = h('button', { type: 'button', class: 'button primary', 'data-control': 'go-on', onclick: onGoOn }, words.goOn);
    this.back = h('a', { class: 'button', href: '#/' }, words.backToList);
    this.kept = h('a', { class: 'button', href: '#/kept' }, words.keptTitle);
    this.report = reporting.button();
    this.root = h(
      'div',
      { class: 'notice', role: 'alert', hidden: true },
      this.what,
      this.help,
      this.elsewhere,
      h('div', { class: 'notice-actions' }, this.count, this.retry, this.goOn, this.back, this.kept, this.report),
      reporting.support(),
    );
  }

  /** Shows a problem; `playable` while there is still something in the buffer. */
  show(problem: Problem, playable: boolean): void {
    const { words } = this;
    const advice = this.adviceFor(problem);
    const strip = playable && problem.kind === 'network';
    const lost = problem.kind === 'network' && problem.trouble === 'unreachable';
    setText(this.what, strip && lost ? words.playingFromBuffer : advice.what);
    setText(this.help, advice.help);
    setAttribute(this.root, 'data-size', strip ? 'strip' : 'panel');
    const missing = problem.kind === 'network' && problem.trouble === 'missing';
    const waits = problem.kind === 'waiting';
    this.retry.hidden = waits || problem.kind === 'unsupported';
    this.goOn.hidden = !waits || !problem.waiting.soft;
    this.back.hidden = !missing && !waits && problem.kind !== 'unsupported';
    // What is on the device needs no line.
    this.kept.hidden = strip || !lost;
    this.report.hidden = strip || waits;
    this.root.hidden = false;
  }

  /** Where else the lesson can be seen. */
  showElsewhere(text: string): void {
    setText(this.elsewhere, text);
    this.elsewhere.hidden = text === '';
  }

  /** Counts down to the engine's next attempt. */
  countDown(milliseconds: number | null, leftWords = this.words.retryingSoon): void {
    window.clearInterval(this.timer);
    if (milliseconds === null) return setText(this.count, '');
    const since = moment();
    const tick = (): void => {
      const left = Math.ceil((milliseconds - passed(since, moment())) / 1000);
      setText(this.count, left > 0 ? leftWords(left) : this.words.retryingNow);
      if (left <= 0) window.clearInterval(this.timer);
    };
    this.timer = window.setInterval(tick, 1000);
    tick();
  }

  hide(): void {
    window.clearInterval(this.timer);
    this.root.hidden = true;
  }

  private adviceFor(problem: Problem): Advice {
    if (problem.kind === 'network') return this.words.lessonTrouble[problem.trouble];
    if (problem.kind === 'waiting') {
      const { waiting } = problem;
      return waiting.opensAt === null ? this.words.waiting(waiting) : this.words.opens(waiting, waiting.opensAt);
    }
    return problem.kind === 'decoder' ? this.words.decoder : this.words.unsupported;
  }
}

/** 报告问题 on the page: the list to choose from, what is sent with it, and sending, now or when somebody can be told. */

import { reportable } from './answers';
import type { Context } from './context';
import { h, replace, setText } from './dom';
import { readJson } from './network';
import { buildOf, compose, dropFirst, fate, keepReport, KINDS, late, readKept, type Kind } from './report';
import { waitAfterOnline } from './recovery';
import { tell } from './tell';
import { reportWordsIn, type ReportWords } from './words-report';

/** Reports that waited are sent so long after the page was opened at the earliest, and twice that at the latest, in milliseconds. */
const SETTLE_MS = 5_000;

/** Whom people may ask: kept on the device, since it is needed when nothing can be fetched. */
export interface Support {
  phone: string;
  page: string;
}

const PHONE = /^[\d +\-()*#]{1,100}$/;
const PAGE = /^https?:\/\/[^\s"'<>&]{1,100}$/;

/** As published; empty where it says nothing of the kind. */
export function parseSupport(json: unknown): Support {
  const { phone, page } = (json ?? {}) as Record<string, unknown>;
  return { phone: typeof phone === 'string' && PHONE.test(phone) ? phone : '', page: typeof page === 'string' && PAGE.test(page) ? page : '' };
}

export class Reporting {
  private dialog: HTMLDialogElement | undefined;
  private opener: HTMLElement | undefined;
  private readonly words: ReportWords;
  private sending = false;

  constructor(private readonly context: Pick<Context, 'language' | 'state' | 'store'>) {
    this.words = reportWordsIn(context.language);
    window.addEventListener('online', () => window.setTimeout(() => void this.sendKept(), waitAfterOnline(Math.random())));
    // It is about the view that is left; over the next one it would shut off all of it.
    window.addEventListener('hashchange', () => this.close());
    window.setTimeout(() => void this.sendKept(), SETTLE_MS * (1 + Math.random()));
    void this.readSupport();
  }

  /** A button that opens the list. */
  button(): HTMLButtonElement {
    const button = h('button', { type: 'button', class: 'button small quiet', 'data-control': 'report', onclick: () => this.open(button) }, this.words.report);
    return button;
  }

  /** Whom to ask, for any place that says what went wrong. */
  support(): HTMLElement | undefined {
    const { phone, page } = parseSupport(this.context.store.read('support'));
    if (!phone && !page) return undefined;
    return h(
      'p',
      { class: 'support' },
      this.words.support,
      phone && h('a', { href: `tel:${phone.replace(/[^\d+*]/g, '')}` }, phone),
      phone && page && ' · ',
      page && h('a', { href: page, rel: 'noreferrer' }, this.words.supportPage),
    );
  }

  private async readSupport(): Promise<void> {
    const answer = await readJson('/resources/support.json');
    if (answer.ok) this.context.store.write('support', parseSupport(answer.json));
  }

  private open(opener: HTMLElement): void {
    const { words } = this;
    this.close();
    this.opener = opener;
    const said = h('p', { role: 'status', tabindex: -1 });
    const send = h('button', { type: 'submit', class: 'button primary', 'data-control': 'send-report', disabled: true }, words.send);
    const choice = (kind: Kind): HTMLElement =>
      h('li', {}, h('label', {}, h('input', { type: 'radio', name: 'kind', value: kind, onchange: () => (send.disabled = false) }), ' ', words.kinds[kind]));
    const form = h(
      'form',
      { onsubmit: (event: Event) => (event.preventDefault(), void this.deliver(form, said)) },
      h('fieldset', {}, h('legend', {}, words.choose), h('ul', { class: 'kinds' }, ...KINDS.map(choice))),
      h('p', { class: 'quiet' }, words.whatIsSent),
      send,
    );
    const dialog = h(
      'dialog',
      { class: 'help report', 'aria-labelledby': 'report-title', oncancel: () => this.close(), onkeydown: (event: Event) => event.stopPropagation() },
      h('div', { class: 'help-body' }, h('h2', { id: 'report-title', tabindex: -1 }, words.report), form, said, this.support(), h('button', { type: 'button', class: 'button', onclick: () => this.close() }, words.close)),
    );
    this.dialog = dialog;
    // Within what is shown in full screen, or it is not seen.
    (document.fullscreenElement ?? document.body).append(dialog);
    // Browsers of before 2022 know the element only as a box to show.
    if (typeof dialog.showModal === 'function') dialog.showModal();
    else dialog.setAttribute('open', '');
    dialog.querySelector('h2')?.focus();
  }

  private close(): void {
    if (!this.dialog) return;
    this.dialog.remove();
    this.dialog = undefined;
    // What opened it may be gone, with the notice that it stood in.
    const back = this.opener?.isConnected ? this.opener : document.querySelector<HTMLElement>('h1');
    back?.focus();
    this.opener = undefined;
  }

  private async deliver(form: HTMLFormElement, said: HTMLElement): Promise<void> {
    const { words, context } = this;
    const chosen = form.querySelector<HTMLInputElement>('input:checked');
    if (!chosen) return;
    const script = document.querySelector<HTMLScriptElement>('script[src*="/assets/"]')?.src ?? '';
    const report = compose(chosen.value as Kind, context.state.now, reportable(performance.now()), buildOf(script));
    // What was pressed goes away: the keyboard is where it is said how it went.
    setText(said, words.sending);
    said.focus();
    replace(form);
    const { status, json } = await tell('/feedback', report);
    const outcome = fate(status);
    if (outcome === 'later') setText(said, keepReport(context.store, { report, at: Date.now() }) ? words.kept : words.lost);
    else setText(said, outcome === 'taken' ? words.sent(numberOf(json)) : words.nobody);
  }

  /** Those that waited, one after the other, for as long as somebody takes them. */
  private async sendKept(): Promise<void> {
    if (this.sending) return;
    this.sending = true;
    const { store } = this.context;
    for (let kept = readKept(store)[0]; kept; kept = readKept(store)[0]) {
      const report = late(kept, Date.now());
      if (report && fate((await tell('/feedback', report)).status) === 'later') break;
      dropFirst(store);
    }
    this.sending = false;
  }
}

function numberOf(json: unknown): string {
  const { id } = (json ?? {}) as Record<string, unknown>;
  return typeof id === 'string' && /^[0-9A-Z-]{1,12}$/.test(id) ? id : '';
}

/** What the views share. */

import type { Language } from './language';
import type { Meter } from './meter';
import type { Positions } from './positions';
import type { Reporting } from './reporting';
import type { State } from './state';
import type { Store } from './store';
import type { Words } from './words';

export interface Context {
  language: Language;
  words: Words;
  state: State;
  store: Store;
  positions: Positions;
  meter: Meter;
  reporting: Reporting;
}

/** The keyboard: which key means what. */

export type Command =
  | { do: 'toggle' }
  | { do: 'skip'; seconds: number }
  | { do: 'seek'; tenth: number }
  | { do: 'volume'; change: number }
  | { do: 'mute' }
  | { do: 'fullscreen' }
  | { do: 'speed'; direction: 1 | -1 }
  | { do: 'help' };

/** The parts of a keyboard event that decide. */
export interface Key {
  key: string;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}

/** What has the focus: it may want the key for itself. */
export type Focus = 'page' | 'button' | 'slider' | 'text';

/** A key's command, or undefined where it is the browser's or the focused control's own. */
export function commandOf(event: Key, focus: Focus): Command | undefined {
  if (event.ctrlKey || event.altKey || event.metaKey || focus === 'text') return undefined;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (focus === 'button' && (key === ' ' || key === 'Enter')) return undefined;
  if (focus === 'slider' && (key.startsWith('Arrow') || key === 'Home' || key === 'End')) return undefined;
  if (/^[0-9]$/.test(key)) return { do: 'seek', tenth: Number(key) };
  return COMMANDS.get(key);
}

const COMMANDS = new Map<string, Command>([
  [' ', { do: 'toggle' }],
  ['k', { do: 'toggle' }],
  ['ArrowLeft', { do: 'skip', seconds: -5 }],
  ['ArrowRight', { do: 'skip', seconds: 5 }],
  ['j', { do: 'skip', seconds: -10 }],
  ['l', { do: 'skip', seconds: 10 }],
  ['ArrowUp', { do: 'volume', change: 0.1 }],
  ['ArrowDown', { do: 'volume', change: -0.1 }],
  ['m', { do: 'mute' }],
  ['f', { do: 'fullscreen' }],
  // A Chinese keyboard writes book-title marks with the same keys.
  ['<', { do: 'speed', direction: -1 }],
  ['《', { do: 'speed', direction: -1 }],
  ['>', { do: 'speed', direction: 1 }],
  ['》', { do: 'speed', direction: 1 }],
  ['?', { do: 'help' }],
  ['？', { do: 'help' }],
]);

import assert from 'node:assert/strict';
import test from 'node:test';
import { commandOf, type Command, type Focus } from '../page/shortcuts';

const plain = { ctrlKey: false, altKey: false, metaKey: false };

test('each key has its command', () => {
  const rows: [string, Command | undefined][] = [
    [' ', { do: 'toggle' }], ['k', { do: 'toggle' }], ['K', { do: 'toggle' }], ['ArrowLeft', { do: 'skip', seconds: -5 }], ['l', { do: 'skip', seconds: 10 }],
    ['ArrowUp', { do: 'volume', change: 0.1 }], ['m', { do: 'mute' }], ['F', { do: 'fullscreen' }], ['<', { do: 'speed', direction: -1 }],
    ['》', { do: 'speed', direction: 1 }], ['0', { do: 'seek', tenth: 0 }], ['9', { do: 'seek', tenth: 9 }], ['?', { do: 'help' }], ['x', undefined], ['Tab', undefined],
  ];
  for (const [key, command] of rows) assert.deepEqual(commandOf({ ...plain, key }, 'page'), command, key);
});

test('the browser and the focused control keep their own keys', () => {
  const rows: [string, Focus, boolean][] = [
    [' ', 'button', false], ['Enter', 'button', false], ['k', 'button', true], ['ArrowLeft', 'slider', false], ['ArrowUp', 'slider', false],
    ['m', 'slider', true], ['m', 'text', false], ['ArrowLeft', 'page', true],
  ];
  for (const [key, focus, ours] of rows) assert.equal(commandOf({ ...plain, key }, focus) !== undefined, ours, `${key} on ${focus}`);
  for (const modifier of ['ctrlKey', 'altKey', 'metaKey']) assert.equal(commandOf({ ...plain, [modifier]: true, key: 'f' }, 'page'), undefined);
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { turnOf } from '../page/network';
import { tell } from '../page/tell';

const { setTimeout: wait } = globalThis;

/** The network answers so; time goes on only by `later`. */
function scene(network: (stop: AbortSignal | undefined) => Promise<Response>) {
  const due = new Set<() => void>();
  Object.assign(globalThis, {
    fetch: (_: string, { signal }: { signal?: AbortSignal }) => network(signal),
    setTimeout: (task: () => void) => (due.add(task), task),
    clearTimeout: (task: () => void) => due.delete(task),
  });
  return { due, later: () => due.forEach((task) => task()) };
}

const broken = (stop: AbortSignal | undefined): Promise<never> =>
  new Promise((_, reject) => stop?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError'))));

/** What came of it once the time is over; undefined where it still waits. */
async function inTheEnd<T>(asked: Promise<T>, later: () => void): Promise<T | undefined> {
  await new Promise((done) => wait(done));
  later();
  return Promise.race([asked, new Promise<undefined>((done) => wait(() => done(undefined)))]);
}

test('what is said to a node that does not answer is given up in time, and is not said to be sent', async () => {
  const { later, due } = scene(broken);
  assert.deepEqual(await inTheEnd(tell('/feedback', { kind: 'stalls' }), later), { status: 0, json: undefined });
  assert.equal(due.size, 0);
});

test('an answer that stands still in its middle has a status all the same', async () => {
  const { later } = scene(async (stop) => Object.assign(new Response(null, { status: 201 }), { text: () => broken(stop) }));
  assert.deepEqual(await inTheEnd(tell('/feedback', { kind: 'stalls' }), later), { status: 201, json: undefined });
});

test('a turn that nobody tells is not waited for', async () => {
  const { later } = scene(broken);
  assert.equal(await inTheEnd(turnOf('/r/book.pdf'), later), 0);
  scene(async () => new Response(null, { status: 503, headers: { 'retry-after': '7' } }));
  assert.equal(await turnOf('/r/book.pdf'), 7_000);
});

import assert from 'node:assert/strict';
import test from 'node:test';

/** A network as a browser of 2016 has it, which knows no `AbortController`. */
async function old(answer: () => Response): Promise<{ fetch: typeof fetch; AbortController: typeof AbortController }> {
  const window = { fetch: async () => answer() };
  Object.assign(globalThis, { window, AbortController: undefined });
  await import('../page/legacy/abort');
  return window as unknown as { fetch: typeof fetch; AbortController: typeof AbortController };
}

const bytes = (...texts: string[]): Uint8Array[] => texts.map((text) => new TextEncoder().encode(text));

/** A body that begins with these and then stands still, or ends; `cancelled` once nobody wants the rest. */
function body(parts: Uint8Array[], ends: boolean) {
  const seen = { cancelled: false };
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      if (ends) controller.close();
    },
    cancel: () => void (seen.cancelled = true),
  });
  return { seen, response: new Response(stream as BodyInit) };
}

test('where nothing can be broken off, a body that stands still is all the same', async () => {
  let answer = new Response();
  const { fetch, AbortController } = await old(() => answer);
  const controller = (): AbortController => new AbortController();
  const ticks = async (): Promise<string> => {
    for (let i = 0; i < 20; i += 1) await new Promise((done) => setImmediate(done));
    return 'still waits';
  };

  for (const name of ['text', 'arrayBuffer'] as const) {
    const { seen, response } = body(bytes('{"lessons":['), false);
    answer = response;
    const stop = controller();
    const got = await fetch('/catalogue/version.json', { signal: stop.signal });
    assert.equal(got.status, 200);
    const whole = got[name]().then(() => 'came', (error: Error) => error.name);
    assert.equal(await Promise.race([whole, ticks()]), 'still waits');
    stop.abort();
    assert.equal(await Promise.race([whole, ticks()]), 'AbortError', name);
    assert.ok(seen.cancelled, 'its connection is free again');
  }

  for (const signal of [controller().signal, undefined]) {
    answer = body(bytes('{"a"', ':"数', '"}'), true).response;
    assert.equal(await (await fetch('/', signal ? { signal } : {})).text(), '{"a":"数"}');
    answer = body(bytes('ab', 'c'), true).response;
    assert.deepEqual([...new Uint8Array(await (await fetch('/', signal ? { signal } : {})).arrayBuffer())], [97, 98, 99]);
    answer = new Response(null, { status: 304 });
    assert.equal(await (await fetch('/', signal ? { signal } : {})).text(), '');
  }
});

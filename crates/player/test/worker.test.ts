import assert from 'node:assert/strict';
import test from 'node:test';

/** What the worker answers a request with, where `has` is on the device and the network gives `network`. Time stands still until `later`. */
async function scene() {
  const heard = new Map<string, (event: unknown) => void>();
  const [files, due] = [new Map<string, string>(), [] as (() => void)[]];
  const around = { broken: false, network: (_: string): Promise<Response> => Promise.reject(new TypeError('no network')) };
  const caches = { match: async (path: string) => (around.broken ? Promise.reject(new Error('broken')) : files.has(path) ? new Response(files.get(path)) : undefined) };
  Object.assign(globalThis, {
    __SHELL__: ['/'], __OLD__: '/assets/legacy.js', __SHELL_NAME__: 'page-1', caches,
    self: { addEventListener: (name: string, listener: (event: unknown) => void) => heard.set(name, listener) },
    location: { origin: 'https://edge' },
    fetch: (path: string) => around.network(path),
    setTimeout: (task: () => void) => due.push(task),
  });
  return {
    files, around, heard,
    later: () => due.splice(0).forEach((task) => task()),
    ask: async (path: string, method = 'GET'): Promise<string | undefined> => {
      let answer: Promise<Response> | undefined;
      heard.get('fetch')!({ request: { url: `https://edge${path}`, method }, respondWith: (given: Promise<Response>) => (answer = given) });
      return answer && (await answer).text();
    },
  };
}

const { setTimeout: wait } = globalThis;
const given = (status: number, body: string) => (): Promise<Response> => Promise.resolve(new Response(body, { status }));

test('a worker gives the page that is here where the network has none to give', async () => {
  const { files, around, heard, ask, later } = await scene();
  await import('../page/worker');
  assert.ok(heard.has('install'));

  around.network = given(502, 'broken');
  assert.equal(await ask('/'), 'broken', 'nothing is here');
  files.set('/', 'kept').set('/assets/main.js', 'script');
  const rows: [string, () => Promise<Response>, string][] = [
    ['answers', given(200, 'new'), 'new'],
    ['is gone', () => Promise.reject(new TypeError('no network')), 'kept'],
    ['fails', given(502, 'broken'), 'kept'],
    ['is overloaded', given(503, 'later'), 'kept'],
    ['has enough of us', given(429, 'enough'), 'kept'],
    ['knows no such thing', given(404, 'none'), 'none'],
  ];
  for (const [what, network, wanted] of rows) {
    around.network = network;
    assert.equal(await ask('/'), wanted, `the network ${what}`);
  }

  around.network = () => new Promise(() => undefined);
  const answer = ask('/');
  await new Promise((done) => wait(done));
  later();
  assert.equal(await answer, 'kept', 'the network says nothing');

  around.network = given(200, 'from the network');
  assert.equal(await ask('/assets/main.js'), 'script');
  assert.equal(await ask('/assets/other.js'), 'from the network');
  around.broken = true;
  assert.equal(await ask('/assets/main.js'), 'from the network', 'storage that fails');
  assert.equal(await ask('/'), 'from the network', 'storage that fails');
  for (const [path, method] of [['/lessons/x/main.m3u8', 'GET'], ['/', 'POST']] as const) assert.equal(await ask(path, method), undefined, path);
});

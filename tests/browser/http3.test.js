// The same lesson over HTTP/3, as a browser plays it that has heard of it before.

import assert from 'node:assert/strict';
import { X509Certificate, createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { before } from 'node:test';
import { assertNothingFatal, openBrowser, openPage, playLesson, playOn, required, test } from './support.js';

/** The same edge over TLS and QUIC, with a slash at the end. */
const HTTP3_EDGE = new URL('/', required('AIRCLASS_HTTP3_URL', 'the same edge over HTTP/3, such as https://localhost:8443/'));

/** Its certificate, which nobody has signed. */
const CERTIFICATE = new X509Certificate(readFileSync(required('AIRCLASS_HTTP3_CERT', 'the path of its certificate, PEM')));

let browser;
before(async (t) => {
  const key = CERTIFICATE.publicKey.export({ type: 'spki', format: 'der' });
  browser = await openBrowser(t, [
    '--enable-quic',
    // Without it the first visit is by TCP, whose answers tell of HTTP/3 (Alt-Svc).
    `--origin-to-force-quic-on=${HTTP3_EDGE.host}`,
    `--ignore-certificate-errors-spki-list=${createHash('sha256').update(key).digest('base64')}`,
    '--host-resolver-rules=MAP localhost 127.0.0.1',
  ]);
});

test('a lesson plays, and all of it comes by HTTP/3', async (t) => {
  const page = await openPage(t, browser, { edge: HTTP3_EDGE.href });
  await playLesson(page);
  await playOn(page, 6);
  const came = await page.evaluate(() =>
    ['navigation', 'resource'].flatMap((type) => performance.getEntriesByType(type)).map(({ name, nextHopProtocol }) => ({ name, nextHopProtocol })),
  );
  // What was found in the browser's own cache came by nothing.
  const others = came.filter(({ name, nextHopProtocol }) => /^https:/.test(name) && !['h3', ''].includes(nextHopProtocol));
  assert.deepEqual(others, []);
  const media = came.filter(({ name, nextHopProtocol }) => /\.m4s$/.test(name) && nextHopProtocol === 'h3');
  assert.ok(media.length >= 4, `pictures and sound of two segments came by h3: ${JSON.stringify(came)}`);
  assert.ok(came.some(({ name, nextHopProtocol }) => name === HTTP3_EDGE.href && nextHopProtocol === 'h3'), 'the page itself came by h3');
  await assertNothingFatal(page);
});

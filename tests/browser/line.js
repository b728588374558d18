// A line of a village, in user space: so many bits a second for all connections together, a round trip, stalls, cuts.
//
// It stands between the browser and the edge and knows nothing of HTTP. What comes down is handed out in packets, in turn
// to each connection, out of one bucket that time fills; so side-by-side downloads share the line as they do at home.

import { connect, createServer } from 'node:net';

/** What one packet carries, in bytes. */
const PACKET = 1400;
/** How often packets are handed out, in milliseconds. */
const TICK_MS = 10;
/** What may be sent at once after a pause, in milliseconds of the line's rate: the bucket's depth. */
const DEPTH_MS = 40;
/** A connection that has so much waiting is not read from any more: as a full socket buffer does. */
const WAITING_BYTES = 32 * 1024;
/** What a connection may have under way at its beginning, and at least, in packets (RFC 6928; RFC 5681 §3.1). */
const FIRST_WINDOW = 10;
const LEAST_WINDOW = 2;
/** Stalls are this long, in milliseconds, and come as often as their share of the time says. */
const STALL_MS = 600;

/**
 * Opens a line to `target` (the address of an edge). `bitsPerSecond` downwards; `roundTripMs` for each way there and back,
 * the handshake included; `stallShare` of the time nothing moves. Of packets `lossShare` are lost, which costs the line what
 * they take, and their connection a round trip and half of what it may have under way (RFC 5681 §3.2).
 */
export async function openLine(target, { bitsPerSecond, roundTripMs = 0, stallShare = 0, lossShare = 0 }) {
  const { hostname, port } = new URL(target);
  const open = new Set();
  let cutUntil = 0;
  // `latestMs`: by how much packets were handed out late at worst, because the machine had no time for it: no village has such a line.
  const line = { url: '', bytes: 0, cut, close, bitsPerSecond, lossShare, latestMs: 0 };

  const server = createServer((client) => {
    if (performance.now() < cutUntil) return client.destroy();
    const upstream = connect({ host: hostname, port });
    const pair = { client, upstream, waiting: [], size: 0, ended: false, window: FIRST_WINDOW, underWay: 0, heldUntil: 0 };
    open.add(pair);
    // What the handshake takes, and then half a round trip each way.
    let ready = performance.now() + roundTripMs;
    client.on('data', (data) => {
      const at = Math.max(performance.now() + roundTripMs / 2, ready);
      ready = at;
      setTimeout(() => !upstream.destroyed && upstream.write(data), at - performance.now());
    });
    upstream.on('data', (data) => {
      for (let at = 0; at < data.length; at += PACKET) pair.waiting.push(data.subarray(at, at + PACKET));
      pair.size += data.length;
      if (pair.size > WAITING_BYTES) upstream.pause();
    });
    upstream.on('end', () => (pair.ended = true));
    for (const socket of [client, upstream]) {
      socket.on('error', () => drop(pair));
      socket.on('close', () => socket === client && drop(pair));
    }
  });

  let filled = performance.now();
  let budget = 0;
  let sent = 0;
  const isFree = (pair, now) => !line.lossShare || (now >= pair.heldUntil && pair.underWay < pair.window);
  // No dice: each test is on the same line.
  const isLost = () => line.lossShare > 0 && ++sent % Math.round(1 / line.lossShare) === 0;
  const started = filled;
  const ticking = setInterval(() => {
    const now = performance.now();
    line.latestMs = Math.max(line.latestMs, now - filled - TICK_MS);
    const perMs = line.bitsPerSecond / 8 / 1000;
    const stalled = stallShare > 0 && (now - started) % (STALL_MS / stallShare) > STALL_MS / stallShare - STALL_MS;
    budget = stalled ? 0 : Math.min(budget + (now - filled) * perMs, Math.max(DEPTH_MS, now - filled) * perMs + PACKET);
    filled = now;
    for (let served = true; served && budget > 0; ) {
      served = false;
      for (const pair of open) {
        const packet = budget > 0 && isFree(pair, now) && pair.waiting.shift();
        if (!packet) continue;
        served = true;
        // Who was served is the last in turn: a tick of a slow line is less than a packet.
        open.delete(pair);
        open.add(pair);
        budget -= packet.length;
        line.bytes += packet.length;
        if (isLost()) {
          pair.waiting.unshift(packet);
          pair.heldUntil = now + roundTripMs;
          pair.window = Math.max(LEAST_WINDOW, pair.window / 2);
          continue;
        }
        pair.underWay += 1;
        pair.window += 1 / pair.window;
        setTimeout(() => (pair.underWay -= 1), roundTripMs);
        pair.size -= packet.length;
        if (pair.size < WAITING_BYTES) pair.upstream.resume();
        setTimeout(() => !pair.client.destroyed && pair.client.write(packet), roundTripMs / 2);
      }
    }
    for (const pair of open) if (pair.ended && pair.waiting.length === 0) setTimeout(() => pair.client.end(), roundTripMs / 2 + TICK_MS);
  }, TICK_MS);

  /** Everything breaks off, and nothing gets through for so long. */
  function cut(milliseconds) {
    cutUntil = performance.now() + milliseconds;
    for (const pair of open) drop(pair);
  }

  function close() {
    clearInterval(ticking);
    for (const pair of open) drop(pair);
    return new Promise((done) => server.close(done));
  }

  function drop(pair) {
    open.delete(pair);
    pair.client.destroy();
    pair.upstream.destroy();
  }

  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  line.url = `http://127.0.0.1:${server.address().port}/`;
  return line;
}

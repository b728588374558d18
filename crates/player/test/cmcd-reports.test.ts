import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Reports } from '../page/cmcd-reports';

const SEGMENT = 'https://a.example/p/0123456789abcdef0123456789abcdef01234567/s0/00000.m4s';

/** Reports that are collected, with draws that always or never tell of an answer. */
function collected(draw: number, status = 204): { reports: Reports; sent: string[] } {
  const sent: string[] = [];
  const send = (report: string): Promise<{ status: number }> => {
    sent.push(report.replace(/ts=\d{10}000,/g, ''));
    return Promise.resolve({ status });
  };
  return { reports: new Reports(send, () => draw), sent };
}

test('what is told is told when the lesson is left, without anybody’s name', () => {
  const { reports, sent } = collected(0);
  reports.does('s');
  reports.answered(SEGMENT, 200, 123.4, 901);
  reports.does('p');
  reports.does('p');
  reports.answered(SEGMENT.replace('s0/00000', 's0/init'), 200, 1, 2);
  reports.answered('https://a.example/lessons/a/main.m3u8', 503);
  reports.does('r');
  assert.equal(sent.length, 0);
  reports.does('q');
  assert.deepEqual(sent[0]?.split('\n'), [
    'e=ps,sta=s,v=2',
    'e=rr,rc=200,ttfb=120,ttlb=900,url="/p/0123456789abcdef0123456789abcdef01234567/s0/00000.m4s",v=2',
    'e=ps,sta=p,v=2',
    'e=ps,sta=r,v=2',
    'com.airclass-was=r,e=ps,sta=q,v=2',
  ]);
  reports.does('p');
  reports.does('q');
  assert.equal(sent.length, 1, 'it is over');
});

test('most answers that came are passed over, and none that did not', () => {
  const { reports, sent } = collected(0.9);
  reports.answered(SEGMENT, 200, 1, 2);
  reports.answered(SEGMENT, 0);
  reports.answered(SEGMENT, 503);
  reports.does('s');
  reports.does('q');
  assert.deepEqual(sent[0]?.match(/rc=\d+/g), ['rc=0', 'rc=503']);
});

test('a storm of failures is bounded, and nothing is told where nobody listens', async () => {
  const { reports, sent } = collected(0, 404);
  for (let time = 0; time < 1_000; time += 1) reports.answered(SEGMENT, 0);
  reports.does('s');
  reports.does('q');
  assert.equal(sent[0]?.split('\n').length, 40);
  const other = collected(0, 404);
  (other.reports as unknown as { flush(): void }).flush();
  assert.deepEqual(other.sent, []);
  other.reports.does('s');
  (other.reports as unknown as { flush(): void }).flush();
  await Promise.resolve();
  await Promise.resolve();
  other.reports.does('p');
  other.reports.does('q');
  assert.equal(other.sent.length, 1);
});

test('who never began has nothing to leave', () => {
  const { reports, sent } = collected(0);
  reports.does('q');
  assert.deepEqual(sent, []);
});

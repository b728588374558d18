import assert from 'node:assert/strict';
import test from 'node:test';
import { lessonRoute, listRoute, NO_FILTER, parseRoute } from '../page/route';

test('a fragment names a view', () => {
  const list = { view: 'list', filter: NO_FILTER };
  const rows: [string, unknown][] = [
    ['', list],
    ['#', list],
    ['#/', list],
    ['#/unknown', list],
    ['#/lesson/', list],
    ['#/lesson/math-3.01_a', { view: 'lesson', id: 'math-3.01_a' }],
    ['#/lesson/math-3.01_a?from=groupmessage', { view: 'lesson', id: 'math-3.01_a' }],
    ['#/lesson/math-3.01_a/', { view: 'lesson', id: 'math-3.01_a' }],
    ['#/kept/?x', { view: 'kept' }],
    ['#/resources', { view: 'resources' }],
    ['#/lesson/../p/x', list],
    ['#/lesson?x/a', list],
    ['#/lesson/A', list],
    ['#/lesson/%2e%2e', list],
    [`#/lesson/${'a'.repeat(65)}`, list],
    ['#/?stage=primary&grade=%E4%B8%89%E5%B9%B4%E7%BA%A7', { view: 'list', filter: { ...NO_FILTER, stage: 'primary', grade: '三年级' } }],
    ['#/?q=a+b', { view: 'list', filter: { ...NO_FILTER, query: 'a b' } }],
  ];
  for (const [fragment, route] of rows) assert.deepEqual(parseRoute(fragment), route, fragment);
});

test('routes are read back as they were written', () => {
  const filter = { section: 'courses', stage: 'senior', grade: '高一', subject: '物理', query: '力 & 运动 #1' };
  assert.deepEqual(parseRoute(listRoute(filter)), { view: 'list', filter });
  assert.deepEqual(parseRoute(listRoute(NO_FILTER)), { view: 'list', filter: NO_FILTER });
  assert.deepEqual(parseRoute(lessonRoute('x-1')), { view: 'lesson', id: 'x-1' });
});

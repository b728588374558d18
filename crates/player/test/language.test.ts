import assert from 'node:assert/strict';
import test from 'node:test';
import { chooseLanguage } from '../page/language';
import { gradeLabel, stageName, subjectLabel, volumeLabel, wordsIn } from '../page/words';

test('the first known language of the browser decides', () => {
  const rows: [string[], string][] = [
    [['zh-CN', 'en'], 'zh'], [['en-US', 'zh-CN'], 'en'], [['bo', 'zh-CN'], 'zh'], [['ug', 'en-GB'], 'en'], [['fr'], 'zh'], [[], 'zh'], [['ZH-Hant-TW'], 'zh'],
  ];
  for (const [preferred, language] of rows) assert.equal(chooseLanguage(preferred), language, preferred.join());
});

test('both languages say the same number of things', () => {
  const [zh, en] = [wordsIn('zh'), wordsIn('en')];
  assert.deepEqual(Object.keys(en).sort(), Object.keys(zh).sort());
  assert.equal(en.shortcuts.length, zh.shortcuts.length);
});

test('school words are translated where they are known and kept where not', () => {
  assert.equal(gradeLabel('三年级', 'en'), 'Grade 3');
  assert.equal(gradeLabel('三年级', 'zh'), '三年级');
  assert.equal(gradeLabel('学前班', 'en'), '学前班');
  assert.equal(subjectLabel('数学', 'en'), 'Mathematics');
  assert.equal(subjectLabel('书法', 'en'), '书法');
  assert.equal(subjectLabel('', 'zh'), '其他');
  assert.equal(volumeLabel('上册', 'en'), 'Volume 1');
  assert.equal(stageName('senior', 'zh'), '高中');
});

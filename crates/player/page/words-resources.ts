/** What 课本和资料 says; fetched with it. */

import type { Language } from './language';
import type { ResourceKind } from './resource-list';

const zh = {
  title: '课本和资料',
  why: '可以下载到设备上。看课的人多时下载会慢一些，先保证课放得顺；断了以后接着下，不用从头来。',
  loading: '正在读取…',
  none: '还没有课本和资料。',
  kinds: { textbook: '课本', audio: '音频', document: '资料', app: '应用' } satisfies Record<ResourceKind, string> as Record<ResourceKind, string>,
  provider: (name: string) => `来源：${name}`,
  licence: (name: string) => `许可：${name}`,
  app: '去下载应用',
  files: (count: number) => `共 ${count} 个文件`,
  turn: (seconds: number) => `下载的人很多，大约 ${seconds} 秒后自动开始…`,
  later: '下载的人很多，请过一会儿再点。',
  platforms: '各省平台',
  down: '暂时打不开',
  instead: '可以先去：',
  sum: (sha256: string) => `校验码 SHA-256：${sha256}`,
};

export type ResourceWords = typeof zh;

const en: ResourceWords = {
  title: 'Textbooks and files',
  why: 'To be kept on the device. While many watch lessons, downloads are slower, so that lessons play; one that broke off goes on where it was.',
  loading: 'Reading…',
  none: 'There are no textbooks or files yet.',
  kinds: { textbook: 'Textbook', audio: 'Sound', document: 'File', app: 'App' },
  provider: (name) => `Source: ${name}`,
  licence: (name) => `Licence: ${name}`,
  app: 'Get the app',
  files: (count) => `${count} files`,
  turn: (seconds) => `Many are downloading: it begins by itself in about ${seconds} s…`,
  later: 'Many are downloading: please try again later.',
  platforms: 'Platforms of provinces',
  down: 'cannot be reached just now',
  instead: 'Meanwhile: ',
  sum: (sha256) => `SHA-256: ${sha256}`,
};

export function resourceWordsIn(language: Language): ResourceWords {
  return language === 'en' ? en : zh;
}

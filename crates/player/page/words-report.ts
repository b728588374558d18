/** What 报告问题 says. */

import type { Language } from './language';
import type { Kind } from './report';

const zh = {
  report: '报告问题',
  choose: '遇到了什么问题？',
  kinds: {
    start: '课打不开',
    stalls: '总是卡住',
    picture: '没有画面，或者画面不对',
    sound: '没有声音，或者声音不对',
    text: '字幕或课件不对',
    wrong: '不是这节课，或者内容有错',
    page: '网页有问题',
    download: '课本、资料下载不了',
  } satisfies Record<Kind, string> as Record<Kind, string>,
  whatIsSent: '会一起发出去的：课程、画质、哪个节点、那次应答的编号和网页的版本。不会发出去的：姓名、账号、设备、看过什么。这里没有填字的地方，请不要担心写错。',
  send: '发送',
  sending: '正在发送…',
  sent: (number: string) => `已经发给维护人员。${number && `编号 ${number}，打电话询问时可以报这个编号。`}`,
  kept: '现在发不出去，已存在这台设备上，连上网以后会自动发送。',
  lost: '现在发不出去，这台设备也存不下。请过一会儿再试。',
  nobody: '这个节点不收报告，请告诉老师或学校。',
  support: '需要帮助：',
  supportPage: '求助网页',
  close: '关闭',
};

export type ReportWords = typeof zh;

const en: ReportWords = {
  report: 'Report a problem',
  choose: 'What is wrong?',
  kinds: {
    start: 'The lesson does not open',
    stalls: 'It keeps stopping',
    picture: 'No picture, or a wrong one',
    sound: 'No sound, or a wrong one',
    text: 'Subtitles or slides are wrong',
    wrong: 'It is another lesson, or has a mistake in it',
    page: 'Something is wrong with the page',
    download: 'Textbooks or files cannot be downloaded',
  },
  whatIsSent: 'Sent along: the lesson, the quality, which node, the number of its answer, and the version of the page. Not sent: names, accounts, devices, what was watched. There is nothing to write.',
  send: 'Send',
  sending: 'Sending…',
  sent: (number) => `Sent to those who look after it.${number && ` Its number is ${number}, should you call.`}`,
  kept: 'It cannot be sent now. It is kept on this device and sent when there is a connection.',
  lost: 'It cannot be sent now, and this device cannot keep it. Please try again later.',
  nobody: 'This node takes no reports; please tell your teacher or school.',
  support: 'Help: ',
  supportPage: 'page for help',
  close: 'Close',
};

export function reportWordsIn(language: Language): ReportWords {
  return language === 'en' ? en : zh;
}

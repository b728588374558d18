/** What is said of lessons on the device. */

import type { Language } from './language';
import { timeInChina } from './timetable';

const zh = {
  keep: '存到这台设备',
  keepTonight: '今晚再存',
  keepAsFile: '存成文件',
  keepWhy: '存下来以后，没有网络也能看。存成的文件可以用 U 盘传给同学，在“离线课程”里打开。',
  keepDrop: '删除',
  keepCancel: '取消',
  keepOn: '接着存',
  keeping: (received: string, total: string) => `正在存到这台设备：${received}，共 ${total}`,
  keptHere: (size: string) => `已经存在这台设备上（${size}），没有网络也能看`,
  keepWaits: (at: Date, received: string) => `${received ? `已存 ${received}，夜里` : '夜里'} ${timeInChina(at.getTime())} ${received ? '接着' : '开始'}下载。请不要关闭本页，给设备充电`,
  keepEnds: {
    missing: '这节课不能存到设备上',
    full: '存不下：设备的空间不够，或者不允许本页存东西。删掉一些再接着存',
    unreachable: '网络断开，没有存完。已经存下的不用重新下载',
  },
  keptWhy: '存在这台设备上的课程，没有网络也能看。',
  keptNone: '还没有存下的课程。打开一节课，点“存到这台设备”。',
  keptForbidden: '这个浏览器不允许本页存东西，可以打开课程文件。',
  keptFile: '打开课程文件（.tar）：',
  keptNoLesson: '这个文件不是课程文件，或者没有下载完整。',
};

export type KeptWords = typeof zh;

const en: KeptWords = {
  keep: 'Keep on this device',
  keepTonight: 'Tonight',
  keepAsFile: 'As a file',
  keepWhy: 'Kept lessons play without a network. A file can be carried to others and opened under “Offline lessons”.',
  keepDrop: 'Delete',
  keepCancel: 'Cancel',
  keepOn: 'Go on',
  keeping: (received, total) => `Keeping on this device: ${received} of ${total}`,
  keptHere: (size) => `Kept on this device (${size}); plays without a network`,
  keepWaits: (at, received) => `${received ? `${received} are here; goes on` : 'Starts'} at ${timeInChina(at.getTime())}. Leave this page open and the device charging`,
  keepEnds: {
    missing: 'This lesson cannot be kept',
    full: 'No room: the device is full, or lets this page keep nothing',
    unreachable: 'The connection was lost before the end. What has come need not come again',
  },
  keptWhy: 'Lessons kept on this device play without a network.',
  keptNone: 'Nothing is kept yet. Open a lesson and choose “Keep on this device”.',
  keptForbidden: 'This browser lets the page keep nothing; lesson files can be opened.',
  keptFile: 'Open a lesson file (.tar):',
  keptNoLesson: 'This is no lesson file, or it is not complete.',
};

export function keptWordsIn(language: Language): KeptWords {
  return language === 'en' ? en : zh;
}

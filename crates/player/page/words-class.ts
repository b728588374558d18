/** What 班级学情 says; fetched with it. */

import type { Language } from './language';

const zh = {
  classWhy: '老师给了班级码的班，可以知道全班大约有多少台设备看了哪节课、哪几分钟有人回看。不填也一样看课，一节不少。',
  classCounts: [
    '会发出去的只有：班级码、哪节课、看完和回看的是第几分钟。',
    '不会记下：姓名、账号、设备、网络地址、什么时候看的。这不是考勤，看不出谁看了、谁没看。',
    '不到 5 台设备的数字不公布，公布的数字是大约数。',
    '班级码只保存在这台设备上，随时可以退出。小学一至三年级不统计。',
  ] as string[],
  classLabel: '班级码：',
  classJoin: '参加',
  classJoined: (code: string) => `这台设备看的课计入班级 ${code}。`,
  classLeave: '退出并删除',
  classLeft: '已退出，班级码和记下的分钟都删除了。',
  classForbidden: '这个浏览器不允许本页存东西，不能参加；看课不受影响。',
  classTrouble: {
    length: '班级码是 10 个字母和数字，例如 23456-789A2。',
    character: '班级码里没有这样的字：只有字母和数字，没有 0、1、I、L、O。',
    check: '这不是班级码：有一个字错了，或者两个字换了位置。',
  },
  counted: (code: string) => `这节课计入班级 ${code} 的学情：只有分钟数，没有名字。`,
};

export type ClassWords = typeof zh;

const en: ClassWords = {
  classWhy: 'A class with a code from its teacher can know about how many devices have seen which lesson, and which minutes were gone back to. Lessons play all the same without it.',
  classCounts: [
    'All that is sent: the class code, the lesson, and the numbers of the minutes seen and gone back to.',
    'Not written down: names, accounts, devices, addresses, times. This is no attendance: nobody can tell who watched.',
    'Numbers of fewer than 5 devices are not told; those that are told are approximate.',
    'The code is kept on this device only; leave at any time. Grades 1 to 3 are not counted.',
  ],
  classLabel: 'Class code:',
  classJoin: 'Join',
  classJoined: (code) => `Lessons on this device count for class ${code}.`,
  classLeave: 'Leave and delete',
  classLeft: 'Left. The code and the minutes noted are deleted.',
  classForbidden: 'This browser lets the page keep nothing, so it cannot join; lessons play all the same.',
  classTrouble: {
    length: 'A class code has 10 letters and digits, such as 23456-789A2.',
    character: 'Class codes have letters and digits only, and no 0, 1, I, L or O.',
    check: 'This is no class code: one character is wrong, or two are exchanged.',
  },
  counted: (code) => `This lesson counts for class ${code}: minutes only, no names.`,
};

export function classWordsIn(language: Language): ClassWords {
  return language === 'en' ? en : zh;
}

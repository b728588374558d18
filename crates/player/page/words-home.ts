/** What the home page says beside the list itself. */

import type { Language } from './language';

const zh = {
  sectionLabel: '板块',
  beside: (count: number) => `同一课的其他 ${count} 个版本`,
  provider: (name: string) => `来源：${name}`,
  licence: (name: string) => `许可：${name}`,
  today: (day: string, grade: string) => `今天的课程表 ${day} ${grade}`.trim(),
  keptTimetable: (when: string) => `没有网络，这是 ${when} 存下的课程表；后面是电视频道和播出时间。`,
  notRequired: '小学一至三年级不作学习要求，看不看自己定。',
  eyes: '用眼健康：限时限量',
  nation: '全国',
  placeLabel: '所在地',
  gradeOfPupil: '年级',
  anyGrade: '未选（按最严的）',
  dayLimit: (minutes: number) => `每天不超过 ${minutes} 分钟。`,
  sittingLimit: (minutes: number) => `每次不超过 ${minutes} 分钟。`,
  breakLimit: (minutes: number) => `两节课之间休息 ${minutes} 分钟。`,
  lessonsLimit: (count: number) => `每天不超过 ${count} 节课。`,
  source: (text: string) => `依据：${text}`,
  viewedToday: (minutes: number) => `今天已看 ${minutes} 分钟（各学科合计）。`,
  guidance: '这是提醒，不是限制；记录只保存在这台设备上。小学一至三年级不作学习要求。',
  rest: {
    sitting: (minutes: number) => `已经连续看了 ${minutes} 分钟，让眼睛休息一下`,
    day: (minutes: number) => `今天已经看了 ${minutes} 分钟，今天的课就到这里吧`,
    lessons: (count: number) => (count === 0 ? '这个年级如无必要，不看网课' : `今天已经看了 ${count} 节课，今天的课就到这里吧`),
  },
  lookFar: (minutes: number) => `离开屏幕 ${minutes} 分钟，看看远处，活动活动。`,
  exercise: '做眼保健操',
  exerciseText: '做一遍眼保健操：闭上眼睛，轻轻按揉眼睛周围的穴位，再望一望窗外最远的地方。',
  lookOn: '接着看',
  classTitle: '班级学情（自愿）',
};

export type HomeWords = typeof zh;

const en: HomeWords = {
  sectionLabel: 'Section',
  beside: (count) => (count === 1 ? '1 other lesson on this' : `${count} other lessons on this`),
  provider: (name) => `Source: ${name}`,
  licence: (name) => `Licence: ${name}`,
  today: (day, grade) => `Today’s timetable ${day} ${grade}`.trim(),
  keptTimetable: (when) => `No network: this is the timetable as it was on ${when}, with television channels and times.`,
  notRequired: 'Nothing is required of grades 1 to 3: watch if you like.',
  eyes: 'Healthy eyes: how long to watch',
  nation: 'Whole country',
  placeLabel: 'Where you are',
  gradeOfPupil: 'Grade',
  anyGrade: 'Not chosen (the strictest)',
  dayLimit: (minutes) => `At most ${minutes} minutes a day.`,
  sittingLimit: (minutes) => `At most ${minutes} minutes at a time.`,
  breakLimit: (minutes) => `A break of ${minutes} minutes between lessons.`,
  lessonsLimit: (count) => `At most ${count} lessons a day.`,
  source: (text) => `From: ${text}`,
  viewedToday: (minutes) => `${minutes} minutes watched today, all subjects.`,
  guidance: 'This is advice and no lock, and kept on this device only. Nothing is required of grades 1 to 3.',
  rest: {
    sitting: (minutes) => `${minutes} minutes in one go: give your eyes a rest`,
    day: (minutes) => `${minutes} minutes today: that is enough for today`,
    lessons: (count) => (count === 0 ? 'No lessons on screens for this grade unless necessary' : `${count} lessons today: that is enough for today`),
  },
  lookFar: (minutes) => `Leave the screen for ${minutes} minutes, look into the distance, move about.`,
  exercise: 'Eye exercises',
  exerciseText: 'Do the eye exercises: close your eyes, gently press around them, then look at the farthest thing outside.',
  lookOn: 'Go on watching',
  classTitle: 'What my class has seen (if you like)',
};

export function homeWordsIn(language: Language): HomeWords {
  return language === 'en' ? en : zh;
}

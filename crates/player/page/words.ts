/** Everything the page says, in Simplified Chinese and in English. */

import type { Waiting } from './admission';
import type { Airing } from './airings';
import type { Stage } from './catalogue';
import { clock } from './format';
import { gradeNumber } from './grouping';
import type { Language } from './language';
import type { Mode } from './mode';
import type { Trouble } from './recovery';
import { dayInChina, inChina, timeInChina } from './timetable';

/** What happened and what to do about it. */
export interface Advice {
  what: string;
  help: string;
}

/** A way to fetch lessons: as it is called, as the bar shows it, what it means. */
interface ModeWords {
  name: string;
  face: string;
  note: string;
}

/** Minutes and seconds left, as 2:05. */
function countdown(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/**
 * The day and time of day in China, as 9月1日 08:30 or 2026-09-01 08:30: what timetable, television and the nodes' own pages say, wherever
 * a device's zone is.
 */
export function day(moment: number, language: Language): string {
  const at = inChina(moment);
  const date = language === 'zh' ? `${at.getUTCMonth() + 1}月${at.getUTCDate()}日` : dayInChina(moment);
  return `${date} ${timeInChina(moment)}`;
}

const zh = {
  tag: 'zh-CN',
  site: '空中课堂',
  tagline: '听课不用登录，谁都可以学。',
  skipToContent: '跳到主要内容',
  otherLanguage: 'English',
  privacy: '本页不用登录，不设 Cookie，不记录任何人；观看进度只保存在这台设备上。',
  clearPositions: '清除观看记录',
  positionsCleared: '已清除这台设备上的观看记录',
  continueWatching: '继续学习',
  searchLabel: '搜索课程',
  searchHint: '搜课程、学科、教师，如“分数”',
  allLessons: '全部',
  stageLabel: '学段',
  gradeLabel: '年级',
  subjectLabel: '学科',
  noSubject: '其他',
  loadingList: '正在读取课程目录…',
  showMore: (left: number) => `再显示一些（还有 ${left} 节）`,
  found: (count: number) => `共 ${count} 节课`,
  empty: { what: '目录里还没有课程', help: '课程发布以后会出现在这里，过一会儿再来看看。' },
  nothingFound: { what: '没有找到符合条件的课程', help: '换个词试试，或者清除筛选条件。' },
  clearFilter: '清除筛选',
  partial: '有一部分目录没有读到，下面的课程可能不全。',
  retry: '重试',
  minutes: (count: number) => `${count} 分钟`,
  watched: '已学完',
  leftAt: (time: string) => `学到 ${time}`,
  backToList: '返回课程目录',
  teacher: (name: string) => `授课：${name}`,
  catalogueTrouble: {
    missing: { what: '这里还没有课程目录', help: '课程发布以后会出现在这里，过一会儿再来看看。' },
    busy: { what: '访问的人太多，暂时读不到课程目录', help: '等一会儿再点“重试”。已经打开的课程可以继续看。' },
    unreachable: { what: '连接不上，读不到课程目录', help: '请检查网络（Wi-Fi 或移动数据）是否打开，然后点“重试”。' },
    damaged: { what: '课程目录读出来是坏的', help: '请点“重试”；如果还是这样，请告诉老师或学校。' },
  } satisfies Record<Trouble, Advice>,
  partTrouble: { what: '这部分内容没有下载下来', help: '请检查网络（Wi-Fi 或移动数据）。页面会自动再试，也可以点“重试”。' },
  lessonTrouble: {
    missing: { what: '找不到这节课', help: '它可能还没有开放，或者已经换了地址。请回到课程目录里找。' },
    busy: { what: '访问的人太多，暂时播放不了', help: '页面会自动再试，也可以点“重试”。' },
    unreachable: { what: '网络断开了', help: '请检查网络（Wi-Fi 或移动数据）。页面会自动再试，也可以点“重试”。存在这台设备上的课程没有网络也能看。' },
    damaged: { what: '这节课的数据读出来是坏的', help: '请点“重试”；如果还是这样，请告诉老师或学校。' },
  } satisfies Record<Trouble, Advice>,
  decoder: { what: '这台设备解不开画面', help: '点“重试”从刚才的地方接着看；还不行就换低一些的画质。' },
  unsupported: { what: '这个浏览器太旧，放不了课程', help: '请升级浏览器，或者换一台设备、换一个浏览器再试。课程也在电视上播出，请看学校的通知。' },
  waiting: ({ ahead, channel, replayAt }: Waiting): Advice => ({
    what: ahead === null ? '为了错峰，您所在的地区稍后开放这节课' : `前面还有 ${ahead} 人，您的位置已经保留`,
    help: `请不要关闭页面，到时会自动播放。${channel && `也可以看电视频道“${channel}”。`}${replayAt === null ? '' : `重播时间：${timeInChina(replayAt)}。`}`,
  }),
  /** Before the hour at which the lesson opens to everybody. */
  opens: ({ title, channel, airsAt, replayAt }: Waiting, opensAt: number): Advice => ({
    what: `${title || '这节课'}：${day(opensAt, 'zh')} 开放`,
    help: `请不要关闭页面，到时会自动播放。${channel && airsAt !== null ? `电视频道“${channel}”${day(airsAt, 'zh')} 播出。` : ''}${replayAt !== null ? `重播：${day(replayAt, 'zh')}。` : ''}`,
  }),
  opensIn: (seconds: number) => `还有 ${clock(seconds)}`,
  turnIn: (seconds: number) => `大约 ${countdown(seconds)} 后轮到您`,
  goOn: '不等了，现在就开始',
  retryingSoon: (seconds: number) => `${seconds} 秒后自动重试`,
  retryingNow: '正在重试…',
  playingFromBuffer: '网络断开，先播放已经下载的部分',
  loading: '正在打开课程…',
  buffering: '正在缓冲…',
  player: '播放器',
  play: '播放',
  pause: '暂停',
  replay: '重看',
  paused: '已暂停',
  ended: '这节课学完了',
  mute: '静音',
  unmute: '取消静音',
  muted: '已静音',
  volume: '音量',
  volumeAt: (percent: number) => `音量 ${percent}%`,
  seek: '播放进度',
  timeOf: (at: string, of: string) => `${at}，共 ${of}`,
  speed: '倍速',
  speedAt: (speed: number) => `${speed} 倍速`,
  quality: '画质',
  auto: '自动',
  autoHint: '按网速和屏幕大小选择',
  /** Beside `auto`. */
  autoNow: (name: string) => `（${name}）`,
  wholeLesson: (size: string) => `全课约 ${size}`,
  qualityChosen: (name: string) => `画质：${name}`,
  qualityBySystem: '画质由系统自动选择',
  mode: '流量',
  modes: {
    auto: { name: '画面', face: '画面', note: '按网速和屏幕选画质' },
    saver: { name: '省流量', face: '省流量', note: '小画面，不提前下载太多' },
    slides: { name: '课件加声音', face: '课件', note: '网很慢时用，换页时才换图' },
    sound: { name: '只听声音', face: '声音', note: '最省流量' },
  } satisfies Record<Mode, ModeWords> as Record<Mode, ModeWords>,
  airs: ({ channel, at }: Airing) => `电视频道“${channel}”今天 ${timeInChina(at)} 播出这节课。`,
  keptTitle: '离线课程',
  resourcesTitle: '课本和资料',
  fromDevice: '正在播放存在这台设备上的课程，不用流量',
  soundOnly: '只听声音，不下载画面',
  noSlides: '这节课没有课件，只播放声音',
  help: '快捷键',
  close: '关闭',
  fullscreen: '全屏',
  leaveFullscreen: '退出全屏',
  resumed: (time: string) => `从上次的 ${time} 接着播放`,
  fromStart: '从头播放',
  readoutQuality: '当前画质',
  readoutBytes: '本课已下载',
  readoutBuffer: '已缓冲',
  seconds: (count: number) => `${count} 秒`,
  shortcuts: [
    ['空格 / K', '播放、暂停'],
    ['← / →', '后退、前进 5 秒'],
    ['J / L', '后退、前进 10 秒'],
    ['↑ / ↓', '音量大、小'],
    ['M', '静音'],
    ['F', '全屏'],
    ['< / >', '慢一些、快一些'],
    ['0 – 9', '跳到全课的 0% – 90%'],
    ['?', '打开、关闭本表'],
  ] as [string, string][],
};

/** The page's words in one language. */
export type Words = typeof zh;

const en: Words = {
  tag: 'en',
  site: 'Airclass',
  tagline: 'Lessons for everybody, without an account.',
  skipToContent: 'Skip to content',
  otherLanguage: '中文',
  privacy: 'No account, no cookies, nobody is recorded. Your places are kept on this device only.',
  clearPositions: 'Clear history',
  positionsCleared: 'The history on this device is cleared',
  continueWatching: 'Continue',
  searchLabel: 'Search lessons',
  searchHint: 'Lesson, subject or teacher',
  allLessons: 'All',
  stageLabel: 'Stage',
  gradeLabel: 'Grade',
  subjectLabel: 'Subject',
  noSubject: 'Other',
  loadingList: 'Reading the catalogue…',
  showMore: (left) => `Show more (${left} left)`,
  found: (count) => (count === 1 ? '1 lesson' : `${count} lessons`),
  empty: { what: 'There are no lessons yet', help: 'Lessons appear here once they are published. Please look again later.' },
  nothingFound: { what: 'No lesson matches', help: 'Try another word, or clear the filter.' },
  clearFilter: 'Clear filter',
  partial: 'A part of the catalogue could not be read; some lessons may be missing below.',
  retry: 'Try again',
  minutes: (count) => `${count} min`,
  watched: 'Finished',
  leftAt: (time) => `Stopped at ${time}`,
  backToList: 'Back to the lessons',
  teacher: (name) => `Teacher: ${name}`,
  catalogueTrouble: {
    missing: { what: 'There is no catalogue here yet', help: 'Lessons appear here once they are published. Please look again later.' },
    busy: { what: 'Too many people are asking; the catalogue cannot be read just now', help: 'Wait a little, then try again. Lessons that are open go on playing.' },
    unreachable: { what: 'No connection: the catalogue cannot be read', help: 'Check that Wi-Fi or mobile data is on, then try again.' },
    damaged: { what: 'The catalogue arrived damaged', help: 'Try again. If it stays like this, please tell your teacher or school.' },
  },
  partTrouble: { what: 'This part did not arrive', help: 'Check Wi-Fi or mobile data. The page tries again by itself, or you can try again now.' },
  lessonTrouble: {
    missing: { what: 'This lesson cannot be found', help: 'It may not be open yet, or has moved. Please look for it in the list.' },
    busy: { what: 'Too many people are watching; it cannot play just now', help: 'The page tries again by itself, or you can try again now.' },
    unreachable: { what: 'The connection is lost', help: 'Check Wi-Fi or mobile data. The page tries again by itself, or you can try again now. Lessons kept on this device play without a network.' },
    damaged: { what: 'The data of this lesson arrived damaged', help: 'Try again. If it stays like this, please tell your teacher or school.' },
  },
  decoder: { what: 'This device cannot decode the picture', help: 'Try again to go on from here; if that fails, choose a lower quality.' },
  unsupported: { what: 'This browser is too old to play lessons', help: 'Please update it, or use another browser or device. Lessons are on television, too: your school tells where.' },
  waiting: ({ ahead, channel, replayAt }) => ({
    what: ahead === null ? 'Where you are, this lesson opens a little later' : `${ahead} are before you; your place is kept`,
    help: `Keep this page open: it plays by itself then.${channel && ` The TV channel “${channel}” shows it, too.`}${replayAt === null ? '' : ` It is repeated at ${timeInChina(replayAt)}.`}`,
  }),
  opens: ({ title, channel, airsAt, replayAt }, opensAt) => ({
    what: `${title || 'This lesson'} opens on ${day(opensAt, 'en')}`,
    help: `Keep this page open: it plays by itself then.${channel && airsAt !== null ? ` The TV channel “${channel}” shows it on ${day(airsAt, 'en')}.` : ''}${replayAt !== null ? ` It is repeated on ${day(replayAt, 'en')}.` : ''}`,
  }),
  opensIn: (seconds) => `${clock(seconds)} left`,
  turnIn: (seconds) => `Your turn in about ${countdown(seconds)}`,
  goOn: 'Continue anyway',
  retryingSoon: (seconds) => `Trying again in ${seconds} s`,
  retryingNow: 'Trying again…',
  playingFromBuffer: 'Connection lost; playing what is downloaded',
  loading: 'Opening the lesson…',
  buffering: 'Buffering…',
  player: 'Player',
  play: 'Play',
  pause: 'Pause',
  replay: 'Play again',
  paused: 'Paused',
  ended: 'The lesson is over',
  mute: 'Mute',
  unmute: 'Unmute',
  muted: 'Muted',
  volume: 'Volume',
  volumeAt: (percent) => `Volume ${percent}%`,
  seek: 'Position',
  timeOf: (at, of) => `${at} of ${of}`,
  speed: 'Speed',
  speedAt: (speed) => `Speed ${speed}×`,
  quality: 'Quality',
  auto: 'Auto',
  autoHint: 'Follows the network and the screen',
  autoNow: (name) => `\u00a0(${name})`,
  wholeLesson: (size) => `lesson ≈ ${size}`,
  qualityChosen: (name) => `Quality: ${name}`,
  qualityBySystem: 'The system chooses the quality',
  mode: 'Data',
  modes: {
    auto: { name: 'Pictures', face: 'Pictures', note: 'Follows the network and the screen' },
    saver: { name: 'Data saver', face: 'Saver', note: 'Small pictures, little ahead of need' },
    slides: { name: 'Slides and sound', face: 'Slides', note: 'For very slow lines: one picture for each slide' },
    sound: { name: 'Sound only', face: 'Sound', note: 'Takes least' },
  },
  airs: ({ channel, at }) => `The TV channel “${channel}” shows it today at ${timeInChina(at)}. `,
  keptTitle: 'Offline lessons',
  resourcesTitle: 'Textbooks and files',
  fromDevice: 'Playing from this device; no data is used',
  soundOnly: 'Sound only; no pictures are downloaded',
  noSlides: 'This lesson has no slides; only its sound plays',
  help: 'Keyboard',
  close: 'Close',
  fullscreen: 'Full screen',
  leaveFullscreen: 'Leave full screen',
  resumed: (time) => `Continuing from ${time}`,
  fromStart: 'Start over',
  readoutQuality: 'Quality',
  readoutBytes: 'Downloaded',
  readoutBuffer: 'Buffered',
  seconds: (count) => `${count} s`,
  shortcuts: [
    ['Space / K', 'Play, pause'],
    ['← / →', 'Back, forward 5 s'],
    ['J / L', 'Back, forward 10 s'],
    ['↑ / ↓', 'Volume up, down'],
    ['M', 'Mute'],
    ['F', 'Full screen'],
    ['< / >', 'Slower, faster'],
    ['0 – 9', 'Jump to 0% – 90%'],
    ['?', 'Open, close this table'],
  ],
};

export function wordsIn(language: Language): Words {
  return language === 'en' ? en : zh;
}

const STAGE_NAMES: Record<Language, Record<Stage, string>> = {
  zh: { primary: '小学', junior: '初中', senior: '高中', other: '其他' },
  en: { primary: 'Primary', junior: 'Junior high', senior: 'Senior high', other: 'Other' },
};

export function stageName(stage: Stage, language: Language): string {
  return STAGE_NAMES[language][stage];
}

/** A grade's name; other texts stay as the teacher wrote them. */
export function gradeLabel(grade: string, language: Language): string {
  const number = gradeNumber(grade);
  return language === 'en' && number <= 12 ? `Grade ${number}` : grade;
}

const SUBJECT_NAMES: Record<string, string> = {
  语文: 'Chinese', 数学: 'Mathematics', 英语: 'English', 科学: 'Science', 道德与法治: 'Ethics and law', 思想政治: 'Politics',
  物理: 'Physics', 化学: 'Chemistry', 生物学: 'Biology', 生物: 'Biology', 历史: 'History', 地理: 'Geography',
  信息科技: 'Computing', 信息技术: 'Computing', 通用技术: 'Technology', 音乐: 'Music', 美术: 'Art', 艺术: 'Arts',
  体育与健康: 'Physical education', 体育: 'Physical education', 劳动: 'Practical work',
};

/** A subject's name; one that the page does not know stays as the teacher wrote it. */
export function subjectLabel(subject: string, language: Language): string {
  if (!subject) return wordsIn(language).noSubject;
  return (language === 'en' && SUBJECT_NAMES[subject]) || subject;
}

const VOLUME_NAMES: Record<string, string> = { 上册: 'Volume 1', 下册: 'Volume 2', 全一册: 'Single volume', 全册: 'Single volume' };

/** A volume's name; others stay as written. */
export function volumeLabel(volume: string, language: Language): string {
  return (language === 'en' && VOLUME_NAMES[volume]) || volume;
}

/** What the one script of old WebViews has no room for, as one part: of several the page would begin with more pieces that they share. */

export { Chapters } from './chapters';
export { Peek } from './peek';
export { renewal } from './renewal';
export { Subtitles } from './subtitles';

/** The whole page as one script, for browsers that do not know modules (before Chrome 61, Safari 10.1, Firefox 60). */

import './legacy/polyfills';
import './main';

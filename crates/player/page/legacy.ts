/** The whole page as one script, for browsers that do not know modules, or no import on demand (`rescue.ts`). */

import './main';

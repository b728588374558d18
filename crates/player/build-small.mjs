// Scripts made smaller than esbuild makes them, by terser: 5 % of all that a pupil on a slow line waits for.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { minify } from 'terser';

/**
 * What is read and not used is dropped: words of hls.js's debugging, whose talk is taken out. Reading a field of a plain object does
 * nothing, and the page reads nothing for what reading does.
 */
const COMPRESS = { passes: 2, pure_getters: true };

/** A script in the language of the year `ecma`; as a module, or as one script whose names nobody else sees. */
export async function small(code, { ecma, module = false }) {
  const { code: made } = await minify(code, { ecma, module, toplevel: true, compress: COMPRESS, format: { comments: false } });
  return made;
}

/** A line that esbuild puts into each script, so that its name tells terser's edition, too. It is a comment, which terser drops. */
export function edition(root) {
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules/terser/package.json'), 'utf8'));
  return { js: `//terser ${version} ${JSON.stringify(COMPRESS)}` };
}

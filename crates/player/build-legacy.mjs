// The page as one script in ES5, for browsers that know no modules: old WebViews of phones that families still have.
//
// esbuild bundles and turns what is younger than 2015 into ES2015; TypeScript's last compiler that still writes ES5 turns
// that into ES5, generators included. `test/legacy.test.ts` reads the result with an ES5 parser.

import { build } from 'esbuild';
import typescript from 'typescript-es5';
import { small } from './build-small.mjs';

/** What asks while the engine is on its way has nothing to do where the engine comes with the page. */
const atOnce = {
  name: 'at once',
  setup(build) {
    build.onResolve({ filter: /^\.\/early$/ }, ({ path }) => ({ path, namespace: 'at-once' }));
    build.onLoad({ filter: /.*/, namespace: 'at-once' }, () => ({ contents: 'export const early = (engine) => engine;' }));
  },
};

/** The script's text; `options` are those of the page's own build. */
export async function legacy(options) {
  const bundled = await build({
    ...options,
    plugins: [atOnce, ...options.plugins],
    entryPoints: ['page/legacy.ts'],
    format: 'iife',
    target: 'es2015',
    minifySyntax: true,
    // One script, with all that it may ever need, has no room for them.
    define: { ...options.define, __EXTRAS__: 'false' },
    legalComments: 'none',
    write: false,
  });
  const { outputText } = typescript.transpileModule(bundled.outputFiles[0].text, {
    compilerOptions: {
      target: typescript.ScriptTarget.ES5,
      module: typescript.ModuleKind.None,
      downlevelIteration: true,
      removeComments: true,
      ignoreDeprecations: '5.0',
    },
  });
  return small(outputText, { ecma: 5 });
}

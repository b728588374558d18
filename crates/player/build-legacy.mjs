// The page as one script in ES5, for browsers that know no modules: old WebViews of phones that families still have.
//
// esbuild bundles and turns what is younger than 2015 into ES2015; TypeScript's last compiler that still writes ES5 turns
// that into ES5, generators included; esbuild makes it small again. `test/legacy.test.ts` reads the result with an ES5 parser.

import { build, transform } from 'esbuild';
import typescript from 'typescript-es5';

/** The script's text; `options` are those of the page's own build. */
export async function legacy(options) {
  const bundled = await build({
    ...options,
    entryPoints: ['page/legacy.ts'],
    format: 'iife',
    target: 'es2015',
    minifySyntax: true,
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
  const small = await transform(outputText, { target: 'es5', minify: true, charset: 'utf8', legalComments: 'none' });
  return small.code;
}

// Builds the page into the folder that is named: index.html, main.js, style.css, licences.txt.
//
//   node build.mjs FOLDER    the page
//   node build.mjs --tests   test/*.test.ts, bundled into .test/ for `node --test`

import { build } from 'esbuild';
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2];
if (!out) throw new Error('name the folder to build into');

const common = {
  absWorkingDir: root,
  bundle: true,
  charset: 'utf8',
  format: 'esm',
  // Operators' browsers; a wall screen may be some years old.
  target: 'es2020',
  legalComments: 'none',
  logLevel: 'warning',
};

if (out === '--tests') {
  const tests = readdirSync(join(root, 'test')).map((name) => `test/${name}`);
  await build({ ...common, entryPoints: tests, outdir: '.test', outExtension: { '.js': '.mjs' }, platform: 'node', sourcemap: 'inline' });
  process.exit();
}

await build({ ...common, entryPoints: ['page/main.ts', 'page/style.css'], outdir: out, minify: true });
for (const name of ['index.html', 'icon.svg']) copyFileSync(join(root, 'page', name), join(out, name));
// What we link comes with its licence: the notice travels with the copy.
const { version, license } = JSON.parse(readFileSync(join(root, 'node_modules/uplot/package.json'), 'utf8'));
const text = readFileSync(join(root, 'node_modules/uplot/LICENSE'), 'utf8');
writeFileSync(join(out, 'licences.txt'), `uplot ${version} (${license})\n\n${text}`);

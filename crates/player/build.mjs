// Builds the page into dist/: one index.html and hashed, immutable files under dist/assets/.
//
//   node build.mjs           the page
//   node build.mjs --tests   test/*.test.ts, bundled into .test/ for `node --test`
//
// Files are written only where their bytes differ and carry one fixed date, so that two builds at once do not disturb
// each other, equal sources give equal files, and cargo (which watches dates) does not take our output for a change.

import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { hls } from './build-hls.mjs';
import { legacy } from './build-legacy.mjs';
import { edition, small } from './build-small.mjs';

const root = dirname(fileURLToPath(import.meta.url));
/** The date of every built file. Any fixed moment in the past does. */
const BUILT = new Date('2020-02-17T00:00:00Z');
/** Text below this size is not worth a compressed twin: it fits in one packet as it is. */
const WORTH_COMPRESSING_BYTES = 1024;
/** What may be served compressed. */
const COMPRESSIBLE = /\.(js|css|svg|html)$/;

const common = {
  absWorkingDir: root,
  bundle: true,
  charset: 'utf8',
  format: 'esm',
  // Whatever knows modules and fetches parts of them on demand; older ones get legacy.ts, by `nomodule` or by rescue.ts.
  target: 'es2018',
  // A field without a value is a declaration, not an assignment of undefined: hls.js's subclasses rely on it.
  tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } },
  logLevel: 'warning',
  plugins: [hls.plugin(root)],
  define: { ...hls.define(root), __EXTRAS__: 'true' },
};

/** Files under names that tell their bytes. */
const hashed = {
  outdir: 'dist/assets',
  publicPath: '/assets/',
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  loader: { '.svg': 'copy' },
  minify: true,
  footer: edition(root),
  legalComments: 'none',
  metafile: true,
  write: false,
};

await (process.argv.includes('--tests') ? tests() : page());

async function page() {
  const result = await build({
    ...common,
    ...hashed,
    entryPoints: ['page/main.ts', 'page/rescue.ts', 'page/icon.svg'],
    splitting: true,
  });
  // One style for all: colours and the like as browsers of 2016 write them.
  const style = await build({ ...common, ...hashed, entryPoints: ['page/style.css'], target: 'chrome49' });
  const files = new Map();
  const outputs = new Map();
  for (const { outputFiles, metafile } of [result, style]) {
    for (const file of outputFiles) {
      const script = file.path.endsWith('.js') && (await small(file.text, { ecma: 2018, module: true }));
      files.set(join('assets', basename(file.path)), Buffer.from(script || file.contents));
    }
    for (const [path, output] of Object.entries(metafile.outputs)) {
      const source = output.entryPoint ?? Object.keys(output.inputs)[0];
      outputs.set(source, '/assets/' + basename(path));
    }
  }
  const shell = ['/', ...[...files.keys()].map((path) => '/' + path)];
  const script = Buffer.from(await legacy(common));
  const name = `assets/legacy-${hashOf(script)}.js`;
  const worker = await build({
    ...common,
    ...hashed,
    entryPoints: ['page/worker.ts'],
    entryNames: '[name]',
    format: 'iife',
    define: {
      __SHELL__: JSON.stringify(shell),
      __OLD__: JSON.stringify('/' + name),
      __SHELL_NAME__: JSON.stringify(`page-${hashOf([...shell, name].join())}`),
    },
  });
  files.set('assets/worker.js', Buffer.from(await small(worker.outputFiles[0].text, { ecma: 2018 })));
  files.set(name, script);
  outputs.set('page/legacy.ts', '/' + name);
  files.set('index.html', Buffer.from(index(outputs, (source) => partsOf(outputs.get(source), result.metafile.outputs))));
  // What we link comes with its licence: the notice travels with the copy.
  files.set('assets/licences.txt', Buffer.from(licences()));
  for (const [path, bytes] of [...files]) {
    if (COMPRESSIBLE.test(path) && bytes.length >= WORTH_COMPRESSING_BYTES) files.set(path + '.gz', gzipSync(bytes, { level: 9 }));
  }
  place(files, join(root, 'dist'));
}

/** Eight characters, as esbuild writes its own. */
function hashOf(bytes) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return [...createHash('sha256').update(bytes).digest().subarray(0, 8)].map((byte) => letters[byte & 31]).join('');
}

/**
 * The page's HTML with the hashed names in place of {{…}}, and a line with {{parts of …}} once for each script that one imports: a browser
 * would learn of them only from the script itself, a round trip later.
 */
function index(outputs, parts) {
  const html = readFileSync(join(root, 'page/index.html'), 'utf8').replace(/^.*\{\{parts of (.+?)\}\}.*\n/m, (line, source) =>
    parts(source).map((path) => line.replace(/\{\{.+?\}\}/, path)).join(''),
  );
  return html.replace(/\{\{(.+?)\}\}/g, (_, source) => {
    const path = outputs.get(source);
    if (!path) throw new Error(`page/index.html names ${source}, which the build does not make`);
    return path;
  });
}

/** The paths of what a script imports at once, and of what that imports. */
function partsOf(script, outputs) {
  const imports = new Map(Object.entries(outputs).map(([path, output]) => ['/assets/' + basename(path), output.imports]));
  const parts = new Set([script]);
  // A set that grows is walked to its end.
  for (const part of parts) {
    for (const { kind, path } of imports.get(part)) if (kind === 'import-statement') parts.add('/assets/' + basename(path));
  }
  parts.delete(script);
  return [...parts];
}

/** Licences of the modules whose code is in the bundle. */
function licences() {
  const modules = ['hls.js', 'eventemitter3', 'url-toolkit', '@svta/cml-id3', '@svta/cml-utils'];
  return modules
    .map((name) => {
      const folder = join(root, 'node_modules', name);
      const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
      const text = file ? readFileSync(join(folder, file), 'utf8').trim() : '';
      return `${name} ${version} (${license})\n\n${text}\n`;
    })
    .join('\n' + '-'.repeat(80) + '\n\n');
}

/** Makes `folder` hold exactly `files`. */
function place(files, folder) {
  for (const [path, bytes] of files) {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    if (!existsSync(target) || !readFileSync(target).equals(bytes)) writeFileSync(target, bytes);
    utimesSync(target, BUILT, BUILT);
  }
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1);
    if (entry.isFile() && !files.has(path)) rmSync(join(folder, path), { force: true });
  }
}

async function tests() {
  rmSync(join(root, '.test'), { recursive: true, force: true });
  await build({
    ...common,
    entryPoints: readdirSync(join(root, 'test')).filter((name) => name.endsWith('.test.ts')).map((name) => `test/${name}`),
    outdir: '.test',
    outExtension: { '.js': '.mjs' },
    platform: 'node',
    sourcemap: 'inline',
  });
}

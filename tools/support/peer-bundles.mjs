/**
 * The relay and the member without a screen, each bundled with the packages that it imports. Themis stays out: it is
 * taken from node_modules, as is all that Node brings. A packed program is JSON of file names and texts, compressed by brotli.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

import { build } from 'esbuild';

import { root } from './node.mjs';
import { Remedy } from './report.mjs';
import { builtScripts } from './workspace.mjs';

const THEMIS = 'wasm-themis';
/** Asked for where they are installed, which they are not: parts of NestJS, and natively compiled helpers of `ws`. */
const OPTIONAL = [
  ...['@nestjs/microservices', '@nestjs/microservices/*', 'class-transformer', 'class-validator'],
  ...['bufferutil', 'utf-8-validate'],
];

const PROGRAMS = {
  member: { entry: 'libs/client/dist/node/member/main.js', mostBytes: 500_000, scripts: null },
  relay: { entry: 'apps/relay/dist/main.js', mostBytes: 5_000_000, scripts: builtScripts },
};

/** A bundle is an ES module, and CommonJS packages in it want what such a one does not have. */
const banner = `import { createRequire as requireOfBundle } from 'node:module';
const require = requireOfBundle(import.meta.url);`;

/** Words that people choose for passphrases, 1.5 MB: they rate a new one, and nothing of them is stored or sent. */
const withoutWordLists = {
  name: 'without word lists',
  setup({ onLoad }) {
    const lists =
      /[\\/]@zxcvbn-ts[\\/]language-\w+[\\/]dist[\\/](commonWords|diceware|firstnames|passwords|wikipedia)\.json\.[cm]js$/;
    onLoad({ filter: lists }, ({ path }) => ({
      contents: path.endsWith('.cjs') ? 'module.exports = [];' : 'export default [];',
    }));
  },
};

/** @param {string} entry */
async function bundled(entry) {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: 'main.mjs',
    write: false,
    metafile: true,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    minify: true,
    // NestJS finds classes by their names.
    keepNames: true,
    legalComments: 'external',
    external: [THEMIS, ...OPTIONAL],
    banner: { js: banner },
    plugins: [withoutWordLists],
    logLevel: 'error',
  });
  const textOf = (end) => outputFiles.find(({ path }) => path.endsWith(end))?.text;
  return {
    code: textOf('main.mjs'),
    notices: textOf('.LEGAL.txt') ?? '',
    inputs: Object.keys(metafile.inputs),
  };
}

/** The Lua scripts, by the names that the relay reads them by. @param {string} folder @returns {[string, string][]} */
const scriptsIn = (folder) =>
  readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.lua'))
    .toSorted()
    .map((name) => [name.replaceAll('\\', '/'), readFileSync(join(folder, name), 'utf8')]);

/** Folders of packages that modules of a bundle are from. @param {string[]} inputs paths from the root on */
const packagesOf = (inputs) =>
  [
    ...new Set(inputs.flatMap((path) => /^.*\bnode_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0] ?? [])),
  ].toSorted();

/** Name and licence of a package, and the texts that it comes with. @param {string} folder from the root on */
function licenseOf(folder) {
  const place = join(root, folder);
  const { name, version, license, author } = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8'));
  const texts = readdirSync(place)
    .filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
    .toSorted()
    .map((file) => readFileSync(join(place, file), 'utf8').trim());
  const by = typeof author === 'string' ? author : author?.name;
  return { title: `${name} ${version}`, text: texts.join('\n\n') || `${license}, by ${by ?? 'its authors'}` };
}

/** What the packed packages ask to be told with every copy: each text once. @param {string[]} folders */
function licenseTexts(folders) {
  const titles = new Map();
  for (const { title, text } of folders.map(licenseOf))
    titles.set(text, [...(titles.get(text) ?? []), title]);
  return [...titles].map(([text, of]) => `${of.join('\n')}\n\n${text}\n`);
}

/** @param {string | Buffer} data */
const sha256 = (data) => createHash('sha256').update(data).digest('hex');

/**
 * The built programs, packed. Throws a Remedy where one is too large, lacks what it was built from, or names this machine.
 *
 * @returns {Promise<{ programs: Record<string, Buffer>, licenses: string, made: object }>} `programs` by the names of
 *   their files; `licenses`: of the packages in them; `made`: what is to be told of them
 */
export async function bundledPrograms() {
  const programs = {};
  const files = {};
  const inputs = [];
  const notices = [];
  for (const [name, { entry, mostBytes, scripts }] of Object.entries(PROGRAMS)) {
    if (!existsSync(join(root, entry))) throw new Remedy(`${entry} is missing.`, 'npm run build');
    const bundle = await bundled(entry);
    const texts = {
      'main.mjs': bundle.code,
      ...(scripts === null ? {} : Object.fromEntries(scriptsIn(scripts))),
    };
    const plain = JSON.stringify(texts);
    if (plain.includes(JSON.stringify(root).slice(1, -1)))
      throw new Remedy(`The packed ${name} names ${root}.`, 'See which module knows where it was built.');
    const packed = brotliCompressSync(plain, {
      params: { [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length },
    });
    if (packed.length > mostBytes)
      throw new Remedy(`The packed ${name} has ${packed.length} bytes.`, `At most ${mostBytes} are allowed.`);
    const file = `${name}.json.br`;
    programs[file] = packed;
    files[file] = { bytes: packed.length, sha256: sha256(packed), unpackedSha256: sha256(plain) };
    inputs.push(...bundle.inputs);
    notices.push(bundle.notices);
  }
  const folders = packagesOf(inputs);
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules', THEMIS, 'package.json'), 'utf8'));
  return {
    programs,
    licenses: [...licenseTexts(folders), ...notices].join(`\n${'-'.repeat(80)}\n\n`),
    made: { node: process.version, [THEMIS]: version, files },
  };
}

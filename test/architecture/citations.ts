/**
 * What documents and comments cite: paths, files by name, sections of docs/protocol.md, decisions, npm scripts and
 * names in capitals (settings, codes). Whatever is cited has to exist.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, extname, join, normalize } from 'node:path';

/** The repository as far as citations go. */
export interface Cited {
  /** of every file and folder, relative to the root */
  readonly paths: ReadonlySet<string>;
  /** numbers of the sections of docs/protocol.md, and of the steps of its section 5 as 5.N */
  readonly sections: ReadonlySet<string>;
  /** titles and bold beginnings of docs/protocol.md, which are cited in quotation marks */
  readonly titles: ReadonlySet<string>;
  /** npm scripts of all workspaces */
  readonly scripts: ReadonlySet<string>;
  /** stages of `npm test` and `npm run long` */
  readonly stages: ReadonlySet<string>;
  /** anchors of the headings of each document, by its path */
  readonly anchors: ReadonlyMap<string, ReadonlySet<string>>;
  /** names of constants, settings and codes in any source */
  readonly capitals: ReadonlySet<string>;
}

export interface Text {
  readonly path: string;
  readonly text: string;
}

const SKIPPED = new Set(['node_modules', 'dist', '.git', '.cache', '.angular', 'coverage', 'data']);
const PROSE = new Set(['.md']);
const COMMENTED: Readonly<Record<string, RegExp>> = {
  '.ts': /\/\*[\s\S]*?\*\/|(?<![:'"`\w])\/\/.*$/gm,
  '.mts': /\/\*[\s\S]*?\*\/|(?<![:'"`\w])\/\/.*$/gm,
  '.mjs': /\/\*[\s\S]*?\*\/|(?<![:'"`\w])\/\/.*$/gm,
  '.css': /\/\*[\s\S]*?\*\//g,
  '.lua': /--\[\[[\s\S]*?\]\]|--.*$/gm,
  '.yaml': /(^|\s)#.*$/gm,
  '.yml': /(^|\s)#.*$/gm,
  '.sh': /(^|\s)#.*$/gm,
};
/** Made by a build or at run time, or on another machine: cited, and in no checkout. */
const MADE = /(^|\/)(dist|node_modules|\.cache|data|coverage)(\/|$)/;
/** Settings of other programs. */
const FOREIGN = new Set(['COMPOSE_PROJECT_NAME']);
const FOLDERS = 'apps|deploy|docs|k8s|libs|test|tools';

/** Files of the repository, without what is installed or built. */
export function filesOf(root: string, folder = ''): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (SKIPPED.has(entry.name)) return [];
    return entry.isDirectory() ? filesOf(root, path) : [path];
  });
}

/** What is read of a file: all of a document, the comments of code; null: nothing. */
export function proseOf({ path, text }: Text): string | null {
  if (PROSE.has(extname(path))) return text;
  const comment = COMMENTED[extname(path)];
  if (comment === undefined) return null;
  // A line of a comment goes on in the next: what is cited may be split between them.
  return [...text.matchAll(comment)]
    .map(([found]) => found.replace(/\n\s*(\*|\/\/|#|--)?\s*/g, ' '))
    .join('\n');
}

const slugOf = (heading: string): string =>
  heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replace(/ /g, '-');

const headingsOf = (text: string): string[] =>
  [...text.replace(/```[\s\S]*?```/g, '').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);

export function citedOf(root: string): Cited {
  const files = filesOf(root);
  const read = (path: string): string => readFileSync(join(root, path), 'utf8');
  const protocol = read('docs/protocol.md');
  const section5 = protocol.slice(protocol.indexOf('\n## 5.'), protocol.indexOf('\n## 6.'));
  const sources = files.filter(
    (path) => /\.(ts|mjs|lua|ya?ml|json)$|^\.env/.test(path) && path !== 'package-lock.json',
  );
  return {
    paths: new Set(files.flatMap((path) => [path, ...parentsOf(path)])),
    sections: new Set([
      ...[...protocol.matchAll(/^#+ (\d+(?:\.\d+)?)\.? /gm)].map(([, number = '']) => number),
      ...[...section5.matchAll(/^(\d+)\. /gm)].map(([, step = '']) => `5.${step}`),
    ]),
    titles: new Set([
      ...headingsOf(protocol).map((heading) => heading.replace(/^[\d.]+ /, '')),
      ...[...protocol.matchAll(/\*\*([^*]+?)\.?\*\*/g)].map(([, title = '']) => title),
    ]),
    scripts: new Set(
      files.filter((path) => basename(path) === 'package.json').flatMap((path) => scriptsOf(read(path))),
    ),
    stages: new Set(
      ['tools/test.mjs', 'tools/long.mjs'].flatMap((path) =>
        [...read(path).matchAll(/^ {2,4}(\w+): (?:\{|folderStage)/gm)].map(([, stage = '']) => stage),
      ),
    ),
    anchors: new Map(
      files
        .filter((path) => path.endsWith('.md'))
        .map((path) => [path, new Set(headingsOf(read(path)).map(slugOf))] as const),
    ),
    capitals: new Set(sources.flatMap((path) => read(path).match(/\b[A-Z][A-Z0-9]*_[A-Z0-9_]*\b/g) ?? [])),
  };
}

function parentsOf(path: string): string[] {
  const parent = dirname(path);
  return parent === '.' ? [] : [parent, ...parentsOf(parent)];
}

const scriptsOf = (text: string): string[] =>
  Object.keys((JSON.parse(text) as { readonly scripts?: Readonly<Record<string, string>> }).scripts ?? {});

const RULES: readonly ((prose: string, at: string, cited: Cited) => string[])[] = [
  paths, names, links, sections, decisions, scripts, capitals,
]; // prettier-ignore

/** What is cited in a text, and is not there. */
export function missingIn({ path, text }: Text, cited: Cited): readonly string[] {
  const prose = proseOf({ path, text });
  return prose === null ? [] : RULES.flatMap((rule) => rule(prose, path, cited));
}

/** `docs/protocol.md`, `libs/client/src/room`: from the root, and with `{a,b}` for several. */
function paths(prose: string, _at: string, cited: Cited): string[] {
  const found = prose.matchAll(new RegExp(`(?<![\\w./@-])(?:${FOLDERS})/[\\w./{},*-]*[\\w/*}]`, 'g'));
  return [...found]
    .flatMap(([path]) => expanded(path))
    .filter((path) => !MADE.test(path))
    .filter((path) => !exists(path.replace(/\/$/, ''), cited));
}

function exists(path: string, { paths: known }: Cited): boolean {
  if (known.has(path)) return true;
  if (/^docs\/decisions\/\d{4}$/.test(path)) return [...known].some((one) => one.startsWith(`${path}-`));
  if (!path.includes('*')) return known.has(path.replace(/\.js$/, '.ts'));
  const pattern = path
    .replace(/[.]/g, '\\.')
    .replaceAll('**', '§')
    .replaceAll('*', '[^/]*')
    .replaceAll('§', '.*');
  return [...known].some((one) => new RegExp(`^${pattern}$`).test(one));
}

function expanded(path: string): string[] {
  const [, before = '', inside, after = ''] = /^(.*?)\{([^}]*)\}(.*)$/.exec(path) ?? [];
  if (inside === undefined) return [path];
  return inside.split(',').flatMap((one) => expanded(before + one + after));
}

/** `state/not-loaded.ts`: a source by the end of its path. */
function names(prose: string, _at: string, cited: Cited): string[] {
  const found = prose.matchAll(
    /(?<![\w./@*<}$-])[a-z][\w-]*(?:[./][\w-]+)*\.(?:ts|mts|mjs|lua|md)\b(?![/*])/g,
  );
  return [...found]
    .map(([name]) => name)
    .filter((name) => ![...cited.paths].some((path) => path === name || path.endsWith(`/${name}`)));
}

/** `[text](file#heading)`, relative to the document. */
function links(prose: string, at: string, cited: Cited): string[] {
  if (!PROSE.has(extname(at))) return [];
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [file = '', anchor] = link.split('#');
      const path = file === '' ? at : normalize(join(dirname(at), file)).replace(/\/$/, '');
      if (!cited.paths.has(path)) return true;
      return anchor !== undefined && cited.anchors.get(path)?.has(anchor) !== true;
    });
}

/** `section 6`, `sections 4, 5 and 7`, `sections 4 to 8`, `section 6, "The end of the log"`: of docs/protocol.md. */
function sections(prose: string, at: string, cited: Cited): string[] {
  const found = prose.matchAll(
    /\bsections? ((?:\d+(?:\.\d+)?(?:, | and | to |–)?)+)(?:,? ?["“]([^"”]+)["”])?/gi,
  );
  return [...found].flatMap(([all, list = '', title]) => {
    const missing = (list.match(/\d+(?:\.\d+)?/g) ?? []).some((number) => !cited.sections.has(number));
    const untitled = title !== undefined && !cited.titles.has(title.replace(/[.,]$/, ''));
    return missing || untitled ? [`${all} (${basename(at)})`] : [];
  });
}

/** `decision 0012`. */
function decisions(prose: string, _at: string, cited: Cited): string[] {
  return [...prose.matchAll(/\bdecisions? (\d{4})\b/gi)]
    .map(([, number = '']) => number)
    .filter((number) => !exists(`docs/decisions/${number}`, cited));
}

/** `npm run docs`, `npm test -- unit e2e`. */
function scripts(prose: string, _at: string, cited: Cited): string[] {
  const run = [...prose.matchAll(/\bnpm run (?:-s )?([a-z]+(?:[:-][a-z]+)*)/g)].map(
    ([, script = '']) => script,
  );
  const stages = [...prose.matchAll(/\bnpm (?:test|run long) -- ((?:[a-z0-9]+ ?)+)/g)].flatMap(
    ([, list = '']) => list.trim().split(' '),
  );
  return [
    ...run.filter((script) => !cited.scripts.has(script)).map((script) => `npm run ${script}`),
    ...stages.filter((stage) => !cited.stages.has(stage)).map((stage) => `stage ${stage}`),
  ];
}

/** `MAX_MEMBERS`, `ALARM_GAP`: settings and codes in backticks. */
function capitals(prose: string, _at: string, cited: Cited): string[] {
  return [...prose.matchAll(/`([A-Z][A-Z0-9]*_[A-Z0-9_]*)(?:=[^`]*)?`/g)]
    .map(([, name = '']) => name)
    .filter((name) => !cited.capitals.has(name) && !FOREIGN.has(name));
}

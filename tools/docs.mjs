// Writes the generated part of docs/protocol.md from the catalogue. Needs a build.
import { readFile, writeFile } from 'node:fs/promises';
import { catalogueSection } from '../libs/protocol/dist/index.js';

const file = new URL('../docs/protocol.md', import.meta.url);
const text = await readFile(file, 'utf8');
const begin = text.indexOf('\n', text.indexOf('<!-- catalogue:')) + 1;
const end = text.indexOf('<!-- /catalogue -->');
if (begin <= 0 || end < begin) throw new Error('docs/protocol.md has lost its catalogue markers');
await writeFile(file, `${text.slice(0, begin)}\n${catalogueSection()}\n\n${text.slice(end)}`);
console.log('docs/protocol.md: section 11 written');

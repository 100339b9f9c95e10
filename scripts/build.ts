/**
 * Builds `dist/`: what `tsc` makes of `src/` and `workers/`, and what it leaves out (the live page, Lua scripts, the
 * published JSON Schema, the executable bit).
 *
 * Nothing is wiped first: a program that runs from `dist/` in the meantime keeps its files. What no longer has a source
 * is taken away instead.
 */

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildPage, PAGE } from './page.ts';

const OUT = 'dist';
const SOURCES = ['src', 'workers'];
/** Its time is that of the build's start; `scripts/setup.sh` builds again when a source is newer. */
const STAMP = join(OUT, '.built');

if (process.argv.includes('--help')) {
  console.log(
    'usage: npm run build\nCompiles src/ and workers/ to dist/, bundles the live page and adds what is not TypeScript.',
  );
} else {
  const startedAt = new Date();
  const { status } = spawnSync('tsc', ['--project', 'tsconfig.build.json'], { stdio: 'inherit' });
  if (status === 0) await complete(startedAt);
  else process.exitCode = 1;
}

async function complete(startedAt: Date): Promise<void> {
  copyAssets();
  removeOrphans();
  await buildPage(resolve(OUT, PAGE));
  makeExecutable(join(OUT, 'src/cli/main.js'));
  await writeTaskSchema();
  await writeApiDocument();
  writeFileSync(STAMP, '');
  utimesSync(STAMP, startedAt, startedAt);
}

/** `tsc` copies nothing: whatever is not TypeScript goes beside the compiled file that reads it. */
function copyAssets(): void {
  for (const file of SOURCES.flatMap(filesUnder).filter((path) => !path.endsWith('.ts') && !isOfPage(path))) {
    const target = join(OUT, file);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(file, target);
  }
}

/** A file of an earlier build whose source is gone must not be published, nor found by an import. */
function removeOrphans(): void {
  for (const file of SOURCES.flatMap((folder) => filesUnder(join(OUT, folder)))) {
    const source = file.slice(OUT.length + 1);
    if (isOfPage(source)) continue;
    const typescript = source.replace(/(\.d\.ts|\.js|\.js\.map)$/, '.ts');
    if (!existsSync(source) && !existsSync(typescript)) rmSync(file);
  }
}

/** The page's sources are bundled, and what its folder in `dist/` holds has no sources of the same names. */
function isOfPage(path: string): boolean {
  return path.startsWith(PAGE + sep);
}

function makeExecutable(file: string): void {
  if (existsSync(file)) chmodSync(file, 0o755);
}

/** The JSON Schema that editors use is made from the one schema that the program checks with. */
async function writeTaskSchema(): Promise<void> {
  const module = join(OUT, 'src/task/json-schema.js');
  if (!existsSync(module)) return;
  const built = (await import(pathToFileURL(module).href)) as { taskJsonSchema: () => unknown };
  writeFileSync(join(OUT, 'task.schema.json'), `${JSON.stringify(built.taskJsonSchema(), null, 2)}\n`);
}

/** The description of the HTTP API that a dashboard serves, for those who generate clients. */
async function writeApiDocument(): Promise<void> {
  const module = join(OUT, 'src/server/api.js');
  if (!existsSync(module)) return;
  const built = (await import(pathToFileURL(module).href)) as { apiDocument: (version: string) => unknown };
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  writeFileSync(join(OUT, 'openapi.json'), `${JSON.stringify(built.apiDocument(version), null, 2)}\n`);
}

function filesUnder(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

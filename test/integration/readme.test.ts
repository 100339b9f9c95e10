/** The README's examples: the task file is valid, the program compiles as a user's would and does what it says. */

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseTasks } from '../../src/task/schema.ts';
import { readTaskText } from '../../src/task/text.ts';
import { codeBlocks, pages, ROOT } from '../support/documents.ts';
import { freshQueueName, testRedisUrl } from '../support/redis.ts';

const run = promisify(execFile);
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

const programs = pages().flatMap(({ path, text }) =>
  codeBlocks(text, 'ts')
    .filter((code) => code.includes("from 'signalbox'"))
    .map((code) => ({ path, code })),
);

let dir: string;
beforeAll(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'signalbox-readme-')));
});
afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

/** The program as a file that finds the package's sources. */
async function write(name: string, code: string): Promise<string> {
  const file = join(dir, name);
  await writeFile(file, code.replaceAll("'signalbox'", JSON.stringify(join(ROOT, 'src/index.ts'))));
  return file;
}

async function git(cwd: string, ...args: string[]): Promise<string> {
  const who = ['-c', 'user.name=Tester', '-c', 'user.email=tester@example.com', '-c', 'init.defaultBranch=main'];
  const env = { PATH: process.env['PATH'] ?? '', HOME: dir, GIT_CONFIG_NOSYSTEM: '1' };
  return (await run('git', [...who, ...args], { cwd, env })).stdout;
}

/** A checkout of a remote of its own that has a list of words. */
async function makeCheckout(): Promise<{ remote: string; checkout: string }> {
  const [remote, checkout] = [join(dir, 'remote.git'), join(dir, 'checkout')];
  await mkdir(checkout);
  await git(dir, 'init', '--quiet', '--bare', remote);
  await git(checkout, 'init', '--quiet');
  await writeFile(join(checkout, 'words.txt'), 'pear\napple\n');
  await git(checkout, 'add', '--all');
  await git(checkout, 'commit', '--quiet', '--message', 'Words');
  await git(checkout, 'remote', 'add', 'origin', remote);
  await git(checkout, 'push', '--quiet', 'origin', 'main');
  return { remote, checkout };
}

test('the task file in the README is valid', () => {
  const readme = pages().find(({ path }) => path === 'README.md')?.text ?? '';
  const files = codeBlocks(readme, 'yaml');
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) expect(parseTasks(readTaskText(file)).length).toBe(1);
});

test('every program in the documentation compiles as strict TypeScript', async () => {
  expect(programs.length).toBeGreaterThan(1);
  const files = await Promise.all(programs.map(async ({ code }, i) => await write(`example-${i}.mts`, code)));
  const config = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions: {
      noEmit: true,
      rootDir: '/',
      allowImportingTsExtensions: true,
      rewriteRelativeImportExtensions: false,
      typeRoots: [join(ROOT, 'node_modules/@types')],
    },
    files: [...files, join(ROOT, 'src/claims/redlock.d.ts')],
    include: [],
  };
  await writeFile(join(dir, 'tsconfig.json'), JSON.stringify(config));
  // What the compiler says is in the error's stdout, hence in the failure of this test.
  const { stdout } = await run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', dir]).catch(
    (error: unknown) => error as { readonly stdout: string },
  );
  expect(stdout).toBe('');
});

test('the program in the README sorts the words on a branch of the remote', async () => {
  const { remote, checkout } = await makeCheckout();
  const readme = programs.find(({ path }) => path === 'README.md');
  const file = await write('program.mts', readme?.code ?? '');
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: dir,
    REDIS_URL: testRedisUrl(),
    SIGNALBOX_QUEUE: freshQueueName(),
    SIGNALBOX_DATA: join(dir, 'data'),
    SIGNALBOX_LOG_LEVEL: 'warn',
  };
  const { stdout } = await run(process.execPath, ['--import', TSX, file], { cwd: checkout, env, timeout: 25_000 });
  const commit = (await git(remote, 'rev-parse', 'refs/heads/task/sort-words')).trim();
  expect(stdout).toContain(` succeeded ${commit}`);
  expect(stdout).toContain('nobody else has words.txt now false');
  expect(await git(remote, 'show', `${commit}:words.txt`)).toBe('apple\npear\n');
});

/** Every example does what its page says, tried as a reader would: by `examples/try.sh`, with a Redis of its own. */

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PROGRAM } from '../support/cli.ts';
import { ROOT } from '../support/documents.ts';

const EXAMPLES = join(ROOT, 'examples');

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'signalbox-examples-'));
  for (const folder of ['bin', 'home']) mkdirSync(join(dir, folder));
  const signalbox = join(dir, 'bin/signalbox');
  writeFileSync(signalbox, `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`);
  chmodSync(signalbox, 0o755);
});
afterAll(() => {
  rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
});

/** What an example leaves: what it printed, and its remote. */
interface Tried {
  readonly stdout: string;
  /** The subjects of a branch's commits, newest first. */
  readonly log: (branch: string) => string[];
  /** A file on a branch. */
  readonly file: (path: string, branch?: string) => string;
}

/** Tries an example; throws what it printed if it fails. */
function tried(name: string): Tried {
  const folder = join(dir, name);
  const env = { PATH: `${join(dir, 'bin')}${delimiter}${process.env['PATH']}`, HOME: join(dir, 'home') };
  const stdout = execFileSync('sh', [join(EXAMPLES, 'try.sh'), name, folder], {
    env,
    encoding: 'utf8',
    stdio: 'pipe',
    timeout: 150_000,
  });
  const git = (...args: string[]): string =>
    execFileSync('git', ['--git-dir', join(folder, 'remote.git'), ...args], { encoding: 'utf8' }).trimEnd();
  return {
    stdout,
    log: (branch) => git('log', '--format=%s', branch, '--').split('\n'),
    file: (path, branch = 'main') => git('show', `${branch}:${path}`),
  };
}

test('codemod: each package’s change lands on main, and the change log counts all of them', () => {
  const { log, file } = tried('codemod');
  expect(log('main')).toHaveLength(5);
  expect(log('main')[0]).toContain('Tell of it in the change log');
  for (const name of ['api', 'web', 'shared']) expect(file(`packages/${name}/index.js`)).not.toMatch(/\bvar\b/);
  expect(file('packages/shared/index.js')).toContain('let unit = 0;');
  expect(file('packages/shared/index.js')).toContain("const UNITS = ['B'");
  expect(file('CHANGELOG.md')).toContain('3 files');
});

test('dependency-update: each update is one commit on a branch of its own, and is queued once', () => {
  const { stdout, log, file } = tried('dependency-update');
  for (const [branch, app, line] of [
    ['deps/shop/date-words-2.0.0', 'shop', '"date-words": "2.0.0"'],
    ['deps/shop/money-words-3.1.0', 'shop', '"money-words": "3.1.0"'],
    ['deps/admin/date-words-2.0.0', 'admin', '"date-words": "2.0.0"'],
  ] as const) {
    expect(log(branch)).toHaveLength(2);
    expect(file(`apps/${app}/package.json`, branch)).toContain(line);
  }
  const ids = stdout.split('\n').filter((line) => /^t\w+-\w+-\w+$/.test(line));
  expect(ids).toHaveLength(6);
  expect(new Set(ids).size).toBe(3);
});

test('agent: three prompts end up on main, one after the other where they want the same folder', () => {
  const { stdout, log, file } = tried('agent');
  expect(file('src/auth/login.mjs').split('\n').slice(0, 2)).toEqual([
    '// Log failed logins in src/auth/login.mjs',
    '// Limit the rate of logins in src/auth/login.mjs',
  ]);
  expect(file('src/billing/bill.mjs')).toContain('// Round amounts');
  expect(file('README.md')).toContain('src/billing/bill.mjs was changed.');
  expect(log('main')).toHaveLength(4);
  expect(stdout).not.toContain('not-a-real-key');
  expect(filesBelow(join(dir, 'agent')).filter((path) => readFileSync(path).includes('not-a-real-key'))).toEqual([]);
});

test('ci-lock: of three deployments at once each begins when the one before it has ended', () => {
  tried('ci-lock');
  const lines = readFileSync(join(dir, 'ci-lock/deploy.log'), 'utf8').trimEnd().split('\n');
  expect(lines).toHaveLength(6);
  for (let i = 0; i < lines.length; i += 2) {
    const [, service] = /^begin (\w+) \(staging slot 1\)$/.exec(lines[i] ?? '') ?? [];
    expect(lines[i + 1]).toBe(`end ${service}`);
  }
});

test('library: a worker’s own handlers make the commits, and what they take while they run is claimed', () => {
  const { stdout, file } = tried('library');
  expect(file('server/index.mjs', 'headers/server')).toMatch(/^\/\/ MIT licence\nexport const port/);
  expect(file('client/index.mjs', 'headers/client')).toMatch(/^\/\/ MIT licence\nexport const title/);
  expect(file('FILES.md', 'count')).toBe('- client: 1\n- server: 1');
  expect(stdout).toContain('no task works on server/ now');
});

test('http: curl submits a task once, sees it succeed, and is told what is wrong with another', () => {
  const { stdout, log, file } = tried('http');
  expect(file('docs/handbook.md', 'http/spelling')).toContain('The first page.');
  expect(log('http/spelling')).toHaveLength(2);
  expect(stdout.match(/"duplicate":(true|false)/g)).toEqual(['"duplicate":false', '"duplicate":true']);
  expect(stdout).toMatch(/did you mean `branch`.*"code":"INVALID"/);
});

test('every example has a page, is in the list, and is tried here', () => {
  const names = readdirSync(EXAMPLES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const list = readFileSync(join(EXAMPLES, 'README.md'), 'utf8');
  const tests = readFileSync(new URL(import.meta.url), 'utf8');
  expect(names.length).toBeGreaterThan(4);
  for (const { name } of names) {
    expect(existsSync(join(EXAMPLES, name, 'README.md'))).toBe(true);
    expect(list).toContain(`[${name}](${name}/README.md)`);
    expect(tests).toContain(`tried('${name}')`);
  }
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

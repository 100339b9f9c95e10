import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const SCRIPTS = fileURLToPath(new URL('../../../scripts', import.meta.url));
/** What setup.sh may count on: a POSIX system and Node. Everything else is what a test puts on the PATH. */
const TOOLS = ['sh', 'cat', 'dirname', 'env', 'find', 'mkdir', 'touch', 'cp', 'rm', 'mktemp'];
const NPM = `
case "$1" in
  ci) mkdir -p node_modules/left && cp package-lock.json node_modules/.package-lock.json ;;
  run) mkdir -p dist && touch dist/.built ;;
esac`;

let project: string;
let bin: string;
let log: string;

beforeEach(async () => {
  const home = await mkdtemp(join(tmpdir(), 'signalbox-setup-'));
  project = join(home, 'a clone');
  bin = join(home, 'bin');
  log = join(home, 'log');
  for (const dir of [join(project, 'scripts'), join(project, 'src'), bin]) await mkdir(dir, { recursive: true });
  for (const name of ['setup.sh', 'dependencies-are-current.mjs']) {
    await copyFile(join(SCRIPTS, name), join(project, 'scripts', name));
  }
  await writeFile(join(project, 'src/a.ts'), '');
  await lock('1.0.0');
  for (const tool of TOOLS) await symlink(whereIs(tool), join(bin, tool));
  await symlink(process.execPath, join(bin, 'node'));
  await program('npm', NPM);
  await program('git');
});

afterEach(async () => {
  await rm(join(project, '..'), { recursive: true, force: true });
});

function whereIs(tool: string): string {
  return spawnSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).stdout.trim();
}

/** Puts a program on the PATH that notes how it was called and then does `body`. */
async function program(name: string, body = ''): Promise<void> {
  const file = join(bin, name);
  await writeFile(file, `#!/bin/sh\necho "${name} $*" >>"$LOG"\n${body}\n`);
  await chmod(file, 0o755);
}

async function lock(version: string): Promise<void> {
  const packages = { '': {}, 'node_modules/left': { version }, 'node_modules/other-os': { version, optional: true } };
  await writeFile(join(project, 'package-lock.json'), JSON.stringify({ packages }));
}

/** Makes all sources a minute old and the build younger than they are. */
async function allBuilt(): Promise<void> {
  const [old, younger] = [new Date(Date.now() - 60_000), new Date(Date.now() - 30_000)];
  for (const source of ['src/a.ts', 'src', 'package-lock.json']) await utimes(join(project, source), old, old);
  await utimes(join(project, 'dist/.built'), younger, younger);
}

/** Runs the script and answers its exit code, messages and the programs it called. */
async function setup(env: Record<string, string> = {}, args: string[] = []) {
  await writeFile(log, '');
  const environment = { PATH: bin, HOME: '', LOG: log, ...env };
  const child = spawnSync(join(bin, 'sh'), [join(project, 'scripts/setup.sh'), ...args], {
    cwd: tmpdir(),
    env: environment,
    encoding: 'utf8',
    timeout: 20_000,
  });
  const calls = (await readFile(log, 'utf8')).split('\n').filter(Boolean);
  return { code: child.status, out: child.stdout, messages: child.stderr, calls };
}

const INSTALL = 'npm ci --no-audit --no-fund';
const BUILD = 'npm run --silent build';
const WITH_REDIS = { REDIS_URL: 'redis://127.0.0.1:1' };

describe('scripts/setup.sh', () => {
  it('explains itself', async () => {
    expect(await setup({}, ['--help'])).toMatchObject({ code: 0, out: expect.stringContaining('usage:'), calls: [] });
    expect(await setup({}, ['--what'])).toMatchObject({ code: 2, messages: expect.stringContaining('usage:') });
  });

  it('installs and builds a clean clone, and then finds nothing left to do', async () => {
    expect(await setup(WITH_REDIS)).toMatchObject({ code: 0, out: '', calls: [INSTALL, BUILD] });
    expect(await setup(WITH_REDIS)).toMatchObject({ code: 0, messages: '', calls: [] });
  });

  it('installs again when the lockfile asks for something else', async () => {
    await setup(WITH_REDIS);
    await lock('2.0.0');
    expect((await setup(WITH_REDIS)).calls).toContain(INSTALL);
  });

  it('does not install again when only times have changed', async () => {
    await setup(WITH_REDIS);
    await utimes(join(project, 'package-lock.json'), new Date(), new Date(Date.now() + 60_000));
    expect((await setup(WITH_REDIS)).calls).not.toContain(INSTALL);
  });

  it('builds again when a source is newer, or gone', async () => {
    await setup(WITH_REDIS);
    await allBuilt();
    expect((await setup(WITH_REDIS)).calls).toEqual([]);

    await writeFile(join(project, 'src/a.ts'), 'changed');
    expect((await setup(WITH_REDIS)).calls).toEqual([BUILD]);

    await allBuilt();
    await rm(join(project, 'src/a.ts'));
    expect((await setup(WITH_REDIS)).calls).toEqual([BUILD]);
  });

  it('stops when a step fails', async () => {
    await program('npm', 'exit 1');
    expect(await setup(WITH_REDIS)).toMatchObject({ code: 1, calls: [INSTALL] });
  });

  it('lends npm a home where there is none, and takes it back', async () => {
    await program('npm', `${NPM}\n[ -w "$HOME" ] && echo "$HOME" >"$LOG.home"`);
    await setup({ ...WITH_REDIS, HOME: '' });
    const home = (await readFile(`${log}.home`, 'utf8')).trim();
    expect(home).not.toBe('');
    expect(existsSync(home)).toBe(false);
  });

  it.each([
    ['node', 'Node 20.12'],
    ['git', 'apt-get install git'],
  ])('asks for %s when there is none', async (name, advice) => {
    await rm(join(bin, name));
    expect(await setup(WITH_REDIS)).toMatchObject({ code: 1, messages: expect.stringContaining(advice) });
  });

  it.each(['redis-server', 'valkey-server', 'docker'])('is content with %s', async (name) => {
    await program(name);
    expect((await setup()).code).toBe(0);
  });

  it('passes over a Docker that does not answer, and says exactly what to type', async () => {
    await program('docker', 'exit 1');
    const { code, messages } = await setup();
    expect(code).toBe(5);
    expect(messages).toMatch(/sudo apt-get install redis-server[\s\S]*brew install redis[\s\S]*export REDIS_URL=/);
  });

  it('installs Redis with passwordless sudo, keeping its service from starting', async () => {
    const script = join(project, 'scripts/setup.sh');
    const policy = join(project, 'policy-rc.d');
    await writeFile(script, (await readFile(script, 'utf8')).replace(/^POLICY=.*$/m, `POLICY='${policy}'`));
    for (const tool of ['tee', 'chmod']) await symlink(whereIs(tool), join(bin, tool));
    await program('apt-get', `"${policy}" || echo "policy $?" >>"$LOG"`);
    await program('systemctl');
    await program('id', 'echo 1000');
    await program('sudo', 'shift; "$@"');
    const { code, calls } = await setup();
    expect(code).toBe(0);
    expect(calls.filter((call) => /^(apt-get|policy|systemctl)/.test(call))).toEqual([
      'apt-get install -q -y --no-install-recommends redis-server',
      'policy 101',
      'systemctl disable redis-server',
    ]);
    expect(existsSync(policy)).toBe(false);
  });

  it('fetches the package lists when the first try to install fails', async () => {
    await program('apt-get');
    await program('id', 'echo 1000');
    await program('sudo', `case "$*" in *install*) [ -e "$LOG.updated" ] ;; *update*) touch "$LOG.updated" ;; esac`);
    const { code, calls } = await setup();
    expect(code).toBe(0);
    expect(calls).toContain('sudo -n apt-get update -q');
  });

  it('says what to type when sudo wants a password', async () => {
    await program('apt-get');
    await program('id', 'echo 1000');
    await program('sudo', 'exit 1');
    expect((await setup()).code).toBe(5);
  });

  it('installs Redis with Homebrew', async () => {
    await program('brew');
    expect(await setup()).toMatchObject({ code: 0, calls: expect.arrayContaining(['brew install redis']) });
  });
});

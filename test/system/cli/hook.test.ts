/** The hook as coding agents call it: a process for each tool call, and a holder that outlives them. */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Signalbox } from '../../../src/client/signalbox.ts';
import { CliWorld, PROGRAM, type Ran } from '../../support/cli.ts';
import { testRedisUrl } from '../../support/redis.ts';
import { until } from '../../support/system/until.ts';

let world: CliWorld;
let box: Signalbox;
let repo: string;
/** A process that stands for the agent: the session ends with it. */
let agent: ChildProcess;

beforeEach(async () => {
  world = new CliWorld({ leaseTtl: '2s' });
  // Holders are found below the temporary folder; each test has its own.
  mkdirSync(join(world.dir, 'tmp'));
  world.env['TMPDIR'] = join(world.dir, 'tmp');
  repo = world.remote().checkout(join(world.dir, 'checkout'));
  agent = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  box = await Signalbox.connect({ redisUrl: testRedisUrl(), queue: world.queue, leaseTtl: '2s' });
});
afterEach(async () => {
  agent.kill('SIGKILL');
  await until('the holders have ended with their agent', async () => (await held()).length === 0);
  await box.close();
  await world[Symbol.asyncDispose]();
});

const held = async (): Promise<string[]> => (await box.claims()).held.map(({ resource }) => resource).sort();

interface Call {
  readonly session?: string;
  readonly event?: string;
  readonly tool?: string;
  readonly flags?: readonly string[];
  readonly env?: Record<string, string>;
}

/** Calls the hook as Claude Code does before it writes a file. */
async function hook(
  file: string,
  { session = 's1', event = 'PreToolUse', tool = 'Write', flags = [], env = {} }: Call = {},
) {
  const input = {
    session_id: session,
    cwd: repo,
    hook_event_name: event,
    tool_name: tool,
    tool_input: { file_path: file },
  };
  const args = ['hook', '--agent-pid', String(agent.pid), ...flags];
  return await world.run(args, { stdin: JSON.stringify(input), env: { ...world.env, ...env } });
}

const said = ({ code, stdout, stderr }: Ran): object => ({ code, stdout, stderr });
const ALLOWED = { code: 0, stdout: '', stderr: '' };

describe('a write', () => {
  test('is allowed and claimed for the session, one file after the other, under one holder', async () => {
    expect(said(await hook(join(repo, 'src/a.ts')))).toEqual(ALLOWED);
    expect(said(await hook('b.ts', { tool: 'Edit' }))).toEqual(ALLOWED);
    expect(said(await hook('b.ts'))).toEqual(ALLOWED);
    const { held: all } = await box.claims();
    expect(all.map(({ resource, mode }) => `${resource} ${mode}`).sort()).toEqual([
      'path:b.ts write',
      'path:src/a.ts write',
    ]);
    expect(new Set(all.map(({ runnerId }) => runnerId)).size).toBe(1);
    expect(all[0]?.workerId).toMatch(/:\d+ session s1$/);
  });

  test('that another session holds is refused with 2, saying by whom and since when', async () => {
    await hook('a.ts');
    const [first] = (await box.claims()).held;
    const { code, stdout, stderr } = await hook('a.ts', { session: 's2' });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`path:a.ts is held by ${first?.runnerId} (${first?.workerId}) since ${first?.since}.`);
    // More is had or refused at once, and what a session has it keeps.
    expect(said(await hook('b.ts', { session: 's2' }))).toEqual(ALLOWED);
    expect((await hook('b.ts')).code).toBe(2);
    expect(await held()).toEqual(['path:a.ts', 'path:b.ts']);
  });

  test('that a program holds is refused, and --json says it as data', async () => {
    await box.hold({ repo, write: ['src/**'] }, async () => {
      const { code, json } = await hook('src/a.ts', { flags: ['--json'] });
      expect(code).toBe(2);
      expect(json).toEqual({ decision: 'deny', reason: expect.stringContaining('path:src is held by h-') as string });
    });
    expect(said(await hook('src/a.ts'))).toEqual(ALLOWED);
  });

  test('in no repository, of a git folder, or of a tool that only reads needs no claim', async () => {
    for (const file of [join(world.dir, 'notes.txt'), join(repo, '.git/config')])
      expect(said(await hook(file))).toEqual(ALLOWED);
    expect(said(await hook('a.ts', { tool: 'Read' }))).toEqual(ALLOWED);
    expect(await held()).toEqual([]);
  });

  test('through a link claims what it leads to', async () => {
    world.file('app-link/x', '');
    const link = join(world.dir, 'link');
    symlinkSync(repo, link);
    expect(said(await hook(join(link, 'deep/new.ts')))).toEqual(ALLOWED);
    expect(await held()).toEqual(['path:deep/new.ts']);
  });

  test('that several hooks of a new session ask for at once starts one holder', async () => {
    const all = await Promise.all(['a', 'b', 'c', 'd'].map(async (file) => await hook(file)));
    expect(all.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    const { held: claims } = await box.claims();
    expect(claims.map(({ resource }) => resource).sort()).toEqual(['path:a', 'path:b', 'path:c', 'path:d']);
    expect(new Set(claims.map(({ runnerId }) => runnerId)).size).toBe(1);
  });

  test('needs no JSON where an agent names its paths itself', async () => {
    const args = ['hook', '--agent-pid', String(agent.pid), '--session', 'mine'];
    expect(said(await world.run([...args, 'a.ts', 'b.ts'], { cwd: repo }))).toEqual(ALLOWED);
    expect(await held()).toEqual(['path:a.ts', 'path:b.ts']);
    expect(said(await world.run(['hook', '--session', 'mine', '--release']))).toEqual(ALLOWED);
    await until('nothing is held', async () => (await held()).length === 0);
    expect((await world.run(['hook', 'a.ts'])).code).toBe(2);
  });
});

describe('what cannot be known', () => {
  const AWAY = { REDIS_URL: 'redis://127.0.0.1:65535' };

  test('as Redis is away is allowed with a warning, or refused with --fail-closed', async () => {
    const { code, stdout, stderr } = await hook('a.ts', { env: AWAY });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toEqual({ systemMessage: expect.stringContaining('could not tell') as string });
    const closed = await hook('a.ts', { env: AWAY, flags: ['--fail-closed'] });
    expect(closed.code).toBe(2);
    expect(closed.stderr).toContain('REDIS_URL');
  });

  test.each([
    { name: 'no JSON', stdin: 'nonsense', env: {} },
    { name: 'a wrong option', stdin: undefined, env: { SIGNALBOX_QUEUE: 'My Queue' } },
  ])('because of $name is a warning', async ({ stdin, env }) => {
    const ran = stdin === undefined ? await hook('a', { env }) : await world.run(['hook'], { stdin });
    expect(ran.code).toBe(0);
    expect(JSON.parse(ran.stdout)).toHaveProperty('systemMessage');
  });
});

describe('a session', () => {
  test('ends with its last hook, and gives all back', async () => {
    await hook('a.ts');
    await hook('a.ts', { session: 's2', event: 'SessionEnd' });
    expect(await held()).toEqual(['path:a.ts']);
    expect(said(await hook('', { event: 'SessionEnd' }))).toEqual(ALLOWED);
    await until('nothing is held', async () => (await held()).length === 0);
    expect((await hook('a.ts', { session: 's2' })).code).toBe(0);
  });

  test('ends when it was idle', async () => {
    expect((await hook('a.ts', { flags: ['--idle', '500ms'] })).code).toBe(0);
    await until('nothing is held', async () => (await held()).length === 0);
  });

  test('whose holder is killed loses its claims after a lease, and gets a new holder', async () => {
    await hook('a.ts');
    const pid = Number(/:(\d+) session/.exec((await box.claims()).held[0]?.workerId ?? '')?.[1]);
    process.kill(pid, 'SIGKILL');
    expect(said(await hook('b.ts'))).toEqual(ALLOWED);
    await until('the dead holder is reaped', async () => (await held()).join() === 'path:b.ts');
  });
});

/** Calls the hook through a shell before it writes each file, and obeys it; then goes on until it is killed. */
const FAKE_AGENT = `
  import { spawnSync } from 'node:child_process';
  import { appendFileSync, writeFileSync } from 'node:fs';
  const [log, session, ...files] = process.argv.slice(2);
  for (const file of files) {
    const input = JSON.stringify({ session_id: session, cwd: process.cwd(), hook_event_name: 'PreToolUse', tool_name: 'Write', tool_input: { file_path: file } });
    const { status, stderr } = spawnSync('sh', ['-c', ${JSON.stringify(`"${process.execPath}" "${PROGRAM}" hook; exit $?`)}], { input });
    if (status !== 2) writeFileSync(file, session);
    appendFileSync(log, file + ' ' + (status === 2 ? 'denied: ' + stderr : 'written') + '\\n');
  }
  if (process.env.STAY) setInterval(() => {}, 1000);
`;

test('an agent that obeys the hook writes only what is its own, and its death ends its session', async () => {
  const program = world.file('agent.mjs', FAKE_AGENT);
  const log = join(world.dir, 'log');
  const start = (session: string, ...files: string[]) =>
    spawn(process.execPath, [program, `${log}.${session}`, session, ...files], {
      cwd: repo,
      env: { ...world.env, STAY: '1' },
      stdio: 'ignore',
    });
  const done = async (session: string, lines: number): Promise<string> =>
    await until(`${session} is done`, () => {
      const text = existsSync(`${log}.${session}`) ? readFileSync(`${log}.${session}`, 'utf8') : '';
      return text.split('\n').filter((line) => /written|denied/.test(line)).length === lines ? text : undefined;
    });
  const one = start('one', 'a.ts', 'b.ts');
  const agents = [one];
  try {
    await done('one', 2);
    agents.push(start('two', 'b.ts', 'c.ts'));
    expect(await done('two', 2)).toMatch(/^b\.ts denied: path:b\.ts is held by h-.*\n(?:.*\n)*c\.ts written\n$/);
    expect(readFileSync(join(repo, 'b.ts'), 'utf8')).toBe('one');
    one.kill('SIGKILL');
    await until('its session has ended', async () => (await held()).join() === 'path:c.ts');
  } finally {
    for (const child of agents) child.kill('SIGKILL');
  }
});

test('inside a step of a task the claim becomes one of that task', async () => {
  const program = world.file('agent.mjs', FAKE_AGENT);
  const worker = await world.worker();
  const log = join(world.dir, 'log');
  const stop = join(world.dir, 'stop');
  const run = `"${process.execPath}" "${program}" ${log} s1 new.ts; until [ -e ${stop} ]; do sleep 0.05; done`;
  const id = await world.submit('--repo', repo, '--publish', 'none', '--run', run);
  await until('it is written', () => existsSync(log));
  expect(readFileSync(log, 'utf8')).toBe('new.ts written\n');
  const { held: claims } = await box.claims();
  expect(claims.filter(({ resource }) => resource.startsWith('path:'))).toMatchObject([
    { resource: 'path:new.ts', mode: 'write', taskId: id },
  ]);
  world.file('stop', '');
  expect(await world.reached(id, 'succeeded', 'failed')).toMatchObject({
    state: 'succeeded',
    filesChanged: ['new.ts'],
  });
  await worker.stop();
});

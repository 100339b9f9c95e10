/** `exec` as users run it: waits its turn, holds, lets go, and never leaves a command running without its claims. */

import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Signalbox } from '../../../src/client/signalbox.ts';
import { signalAll } from '../../../src/runner/supervisor/process-tree.ts';
import { CliWorld, PROGRAM, type Running } from '../../support/cli.ts';
import { testRedisUrl } from '../../support/redis.ts';
import { until } from '../../support/system/until.ts';

let world: CliWorld;
let box: Signalbox;
let repo: string;
/** Commands that must not be left running by a test that fails. */
let commands: number[];

beforeEach(async () => {
  commands = [];
  world = new CliWorld({ leaseTtl: '2s' });
  repo = world.remote().dir;
  box = await Signalbox.connect({ redisUrl: testRedisUrl(), queue: world.queue, leaseTtl: '2s' });
});
afterEach(async () => {
  signalAll(commands, 'SIGKILL');
  await box.close();
  await world[Symbol.asyncDispose]();
});

const path = (name: string): string => join(world.dir, name);

/** A shell command that notes its pid in a file of that name, then goes on until `<name>.end` is there. */
const holdsUntil = (name: string): string =>
  `echo $$ > ${path(name)}.tmp; mv ${path(name)}.tmp ${path(name)}; until [ -e ${path(name)}.end ]; do sleep 0.05; done`;

const exec = (write: string, ...rest: readonly string[]): Running =>
  world.start(['exec', '--repo', repo, '--write', write, ...rest]);

/** Starts one that runs, with the pid of its command. */
async function running(write: string, name: string): Promise<{ readonly one: Running; readonly pid: number }> {
  const one = exec(write, '--', 'sh', '-c', holdsUntil(name));
  await until(`${name} runs`, () => {
    if (!one.isAlive) throw new Error(`it ended: ${one.stderr}`);
    return existsSync(path(name));
  });
  const pid = Number(readFileSync(path(name), 'utf8'));
  commands.push(pid);
  return { one, pid };
}

const waiting = async (count: number): Promise<void> => {
  await until(`${count} wait`, async () => (await box.claims()).waiting.length === count);
};

const isAlive = (pid: number): boolean => {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

const keysLeft = async (): Promise<string[]> => {
  const { redis, keys } = box.queue;
  const names = (await redis.keys(`${keys.prefix}*`)).map((key) => key.slice(keys.prefix.length));
  return names.filter((name) => /^(node|record|lease|ticket|line|waiter):|^(holders|tickets|granted)$/.test(name));
};

describe('a command that runs to its end', () => {
  test('has the streams of the caller and gives its exit code, also with --json', async () => {
    const run = ['exec', '--repo', repo, '--write', '.', '--json', '--', 'sh', '-c', 'cat; echo told >&2; exit 7'];
    const { code, stdout, stderr } = await world.run(run, { stdin: 'given' });
    expect({ code, stdout, stderr }).toEqual({ code: 7, stdout: 'given', stderr: 'told\n' });
    expect(await keysLeft()).toEqual([]);
  });

  test('that a signal ended gives 128 and its number', async () => {
    const { code } = await exec('.', '--', 'sh', '-c', 'kill -9 $$').ended();
    expect(code).toBe(137);
    expect(await keysLeft()).toEqual([]);
  });

  test('is listed meanwhile, and longer than a lease', async () => {
    const { one } = await running('src/**', 'long');
    const begun = performance.now();
    const [held] = (await box.claims()).held;
    expect(held).toMatchObject({ resource: 'path:src', mode: 'write', taskId: null });
    await until('more than a lease has passed', () => performance.now() - begun > 3_000);
    expect((await box.claims()).held).toEqual([held]);
    world.file('long.end', '');
    expect((await one.ended()).code).toBe(0);
  });
});

describe('waiting', () => {
  test('for a task that runs ends when the task has', async () => {
    const worker = await world.worker();
    const task = await world.submit('--repo', repo, '--write', 'src/**', '--run', holdsUntil('task'));
    await until('the task runs', () => existsSync(path('task')));
    const one = exec('src/a.ts', '--', 'sh', '-c', `ls ${path('task.end')}`);
    await until('it says for what it waits', () => one.stderr.includes('\n'));
    expect(one.stderr).toBe(`Waiting for path:src, held by ${task}. See \`signalbox claims\`.\n`);
    world.file('task.end', '');
    const { code, stderr } = await one.ended();
    expect({ code, lines: stderr.split('\n').length }).toEqual({ code: 0, lines: 2 });
    await worker.stop();
  });

  test('two exclude each other', async () => {
    const add = `set -C; echo x > ${path('mine')} || exit 9; sleep 0.2; rm ${path('mine')}`;
    const all = Array.from({ length: 4 }, () => exec('src/**', '--', 'sh', '-c', add));
    const codes = await Promise.all(all.map(async (one) => (await one.ended()).code));
    expect(codes).toEqual([0, 0, 0, 0]);
    expect(await keysLeft()).toEqual([]);
  });

  test('is not done with --no-wait: 3, naming what is held and by whom', async () => {
    await running('src/**', 'first');
    const [held] = (await box.claims()).held;
    const { code, json } = await exec('src/a.ts', '--no-wait', '--json', '--', 'touch', path('never')).ended();
    expect({ code, error: json.error.code }).toEqual({ code: 3, error: 'CONFLICT' });
    expect(json.error.message).toContain(`path:src is held by ${held?.runnerId}`);
    expect(existsSync(path('never'))).toBe(false);
  });

  test('a resource is counted, numbered, and needs no repository; --no-wait holds for it too', async () => {
    await box.queue.line.setLimit('resource:db', 1);
    const flags = ['exec', '--repo', path('no-repository'), '--resource', 'db'];
    const one = world.start([...flags, '--', 'sh', '-c', `echo $SIGNALBOX_SLOT_DB; ${holdsUntil('first')}`]);
    await until('it runs', () => existsSync(path('first')));
    const refused = await world.run([...flags, '--no-wait', '--json', '--', 'true']);
    expect({ code: refused.code, error: refused.json.error.code }).toEqual({ code: 3, error: 'CONFLICT' });
    expect(refused.json.error.message).toMatch(/^resource:db is held by h-/);
    const next = world.start([...flags, '--', 'true']);
    await waiting(1);
    world.file('first.end', '');
    expect((await one.ended()).stdout).toBe('1\n');
    expect((await next.ended()).code).toBe(0);
    expect(await keysLeft()).toEqual([]);
  });

  test('ends with 3 after --wait-timeout, without a ticket', async () => {
    await running('src/**', 'first');
    const { code, stderr } = await exec('src', '--wait-timeout', '300ms', '--', 'touch', path('never')).ended();
    expect(code).toBe(3);
    expect(stderr).toContain('did not come free in time');
    expect((await box.claims()).waiting).toEqual([]);
    expect(existsSync(path('never'))).toBe(false);
  });

  test.each([
    { signal: 'SIGINT', expected: 130 },
    { signal: 'SIGTERM', expected: 143 },
  ] as const)('ends at $signal, without a ticket', async ({ signal, expected }) => {
    await running('src/**', 'first');
    const one = exec('src', '--', 'touch', path('never'));
    await waiting(1);
    expect((await one.stop(signal)).code).toBe(expected);
    expect((await box.claims()).waiting).toEqual([]);
    expect(existsSync(path('never'))).toBe(false);
  });
});

describe('what is typed wrongly claims nothing', () => {
  test.each([
    { args: ['--write', 'a', '--', 'no-such-command'], error: { code: 'INVALID', field: 'command' } },
    { args: ['--write', 'a', '--', '/'], error: { code: 'INVALID', field: 'command' } },
    { args: ['--write', 'a', '--', ''], error: { code: 'INVALID', field: 'command' } },
    { args: ['--write', 'a', '--write', '../b', '--', 'true'], error: { code: 'INVALID', field: 'write[1]' } },
    { args: ['--resource', 'none', '--', 'true'], error: { code: 'INVALID', field: 'resources[0]' } },
    { args: ['--branch', '-x', '--', 'true'], error: { code: 'INVALID', field: 'branch' } },
    { args: ['--', 'true'], error: { code: 'USAGE' } },
    { args: ['--write', 'a', '--no-wait', '--wait-timeout', '1s', '--', 'true'], error: { code: 'USAGE' } },
    { args: ['--write', 'a'], error: { code: 'USAGE' } },
  ])('$args', async ({ args, error }) => {
    const { code, json } = await world.run(['exec', '--repo', repo, '--json', ...args]);
    expect(code).toBe(2);
    expect(json.error).toMatchObject(error);
    expect(await keysLeft()).toEqual([]);
  });

  test('a file that the system cannot run', async () => {
    const file = world.file('script', '#!/no/such/program\n');
    chmodSync(file, 0o755);
    const { code, json } = await exec('a', '--json', '--', file).ended();
    expect({ code, field: json.error.field }).toEqual({ code: 2, field: 'command' });
    expect(await keysLeft()).toEqual([]);
  });
});

describe('a signal while the command runs', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s is passed on once, and its end waited for',
    async (signal) => {
      const log = path('heard');
      const name = signal.slice(3);
      const script = `trap 'echo ${name} >> ${log}; touch ${path('on.end')}' ${name}; ${holdsUntil('on')}; exit 5`;
      const one = exec('src', '--', 'sh', '-c', script);
      await until('it runs', () => existsSync(path('on')));
      expect((await one.stop(signal)).code).toBe(5);
      expect(readFileSync(log, 'utf8')).toBe(`${name}\n`);
      expect(await keysLeft()).toEqual([]);
    },
  );

  test('that ends the command gives 128 and its number', async () => {
    const { one, pid } = await running('src', 'on');
    expect((await one.stop('SIGTERM')).code).toBe(143);
    expect(isAlive(pid)).toBe(false);
    expect(await keysLeft()).toEqual([]);
  });
});

describe('when the worst happens', () => {
  test('a lost lease stops the command and all that it has started, and gives 1', async () => {
    const inner = `trap '' TERM; ${holdsUntil('inner')}`;
    const one = exec('src', '--json', '--', 'sh', '-c', `setsid sh -c "${inner.replaceAll('$$', '\\$\\$')}" & wait`);
    await until('it runs', () => existsSync(path('inner')));
    const pid = Number(readFileSync(path('inner'), 'utf8'));
    const [held] = (await box.claims()).held;
    const { redis, keys } = box.queue;
    const gone = ['lease', 'record'] as const;
    expect(await redis.del(gone.map((family) => keys.key(family, held?.runnerId ?? '')))).toBe(2);
    const { code, json } = await one.ended();
    expect({ code, error: json.error.code }).toEqual({ code: 1, error: 'LEASE_LOST' });
    expect(json.error.message).toContain('`sh` was stopped');
    expect(isAlive(pid)).toBe(false);
  });

  test('kill -9 ends the command too, and the next in line goes on', async () => {
    const { one, pid } = await running('src', 'first');
    const next = exec('src', '--', 'sh', '-c', `[ -e /proc/${pid}/cwd ] && exit 9; exit 0`);
    await waiting(1);
    one.child.kill('SIGKILL');
    expect((await next.ended()).code).toBe(0);
    expect(isAlive(pid)).toBe(false);
    expect((await one.ended()).code).toBeNull();
    expect(await keysLeft()).toEqual([]);
  });

  test('one that is stopped for longer than its lease loses its command before the next has the claim', async () => {
    const { one, pid } = await running('src', 'first');
    const next = exec('src', '--', 'sh', '-c', `[ -e /proc/${pid}/cwd ] && exit 9; exit 0`);
    await waiting(1);
    one.child.kill('SIGSTOP');
    expect((await next.ended()).code).toBe(0);
    expect(isAlive(pid)).toBe(false);
    one.child.kill('SIGCONT');
    const { code, stderr } = await one.ended();
    expect(code).toBe(1);
    expect(stderr).toContain('is lost');
    expect(await keysLeft()).toEqual([]);
  });

  test('kill -9 of one that waits takes its ticket out of the line', async () => {
    await running('src', 'first');
    const dead = exec('src', '--', 'touch', path('never'));
    await waiting(1);
    const alive = exec('src', '--', 'true');
    await waiting(2);
    expect((await dead.stop('SIGKILL')).code).toBeNull();
    await waiting(1);
    world.file('first.end', '');
    expect((await alive.ended()).code).toBe(0);
    expect(existsSync(path('never'))).toBe(false);
  });
});

describe('inside a step', () => {
  const signalbox = `'${process.execPath}' '${PROGRAM}'`;

  test('`claim add` and `exec` claim for the run: its task holds it until it ends', async () => {
    await world.worker();
    const gate = path('gate');
    const id = await world.submit(
      ...['--repo', repo, '--write', 'a.txt', '--run', `${signalbox} claim add b.txt && : > ${path('added')}`],
      ...['--run', `${signalbox} exec --write c.txt -- sh -c 'echo c > c.txt; exit 7' || echo $? > b.txt`],
      ...['--run', `: > ${path('here')}; until [ -e ${gate} ]; do sleep 0.05; done`],
    );
    await until('its steps have claimed', () => existsSync(path('here')));
    expect(existsSync(path('added'))).toBe(true);
    const { held } = await box.claims();
    const paths = held.filter(({ resource }) => resource.startsWith('path:')).map(({ resource }) => resource);
    expect(paths.toSorted()).toEqual(['path:a.txt', 'path:b.txt', 'path:c.txt']);
    const late = exec('c.txt', '--no-wait', '--', 'true');
    expect((await late.ended()).code).toBe(3);
    world.file('gate', '');
    await world.reached(id, 'succeeded');
    expect((await box.get(id)).filesChanged).toEqual(['b.txt', 'c.txt']);
  });

  test('what is no path in the repository is refused by its field, and nothing of it is claimed', async () => {
    await world.worker();
    const bad = `${signalbox} --json claim add good ../bad > ${path('answer')}; echo $? > ${path('code')}`;
    const id = await world.submit('--repo', repo, '--write', 'a.txt', '--run', `${bad}; ${holdsUntil('step')}`);
    await until('the step is there', () => existsSync(path('step')));
    expect(readFileSync(path('code'), 'utf8')).toBe('2\n');
    expect(JSON.parse(readFileSync(path('answer'), 'utf8'))).toMatchObject({
      error: { code: 'INVALID', field: 'write[1]' },
    });
    expect((await box.claims()).held.map(({ resource }) => resource)).not.toContain('path:good');
    world.file('step.end', '');
    await world.reached(id, 'succeeded');
  });

  test('`exec` takes paths only', async () => {
    const env = { ...world.env, SIGNALBOX_SOCKET: path('socket') };
    const { code, stderr } = await world.run(['exec', '--repo', repo, '--branch', 'main', '--', 'true'], { env });
    expect(code).toBe(2);
    expect(stderr).toContain('--branch');
  });
});

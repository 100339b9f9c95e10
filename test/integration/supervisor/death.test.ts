import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type Isolation,
  type StepResult,
  type Supervisor,
  startSupervisor,
} from '../../../src/runner/supervisor/client.ts';
import { findWall, walledIn } from '../../../src/runner/supervisor/isolation.ts';
import { endLeftovers } from '../../../src/runner/supervisor/leftovers.ts';
import { groupsOf, hasSpread, livingWith, makeToken, spreadingScript, stepOf, until } from './support.ts';

const FIXTURE = fileURLToPath(new URL('fixture-worker.ts', import.meta.url));

/** The isolation levels; where there are no namespaces the first is the second. */
const LEVELS: Isolation['level'][] = ['pidns', 'group'];

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

async function start(isolation: Isolation['level'], answerMs = 3_000): Promise<Supervisor> {
  const supervisor = await startSupervisor({ env: process.env, isolation, answerMs });
  cleanUps.push(() => supervisor.stop());
  return supervisor;
}

interface FixtureWorker {
  readonly process: ChildProcess;
  readonly supervisorPid: number;
  readonly token: string;
  nextLine(): Promise<string>;
}

/** A worker in a process of its own whose step has spread. */
async function startWorker(isolation: Isolation['level'], deadlineMs: number): Promise<FixtureWorker> {
  const token = makeToken();
  const worker = spawn(process.execPath, ['--import', 'tsx', FIXTURE], {
    env: { ...process.env, TOKEN: token, ISOLATION: isolation, DEADLINE_MS: String(deadlineMs) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  cleanUps.push(() => worker.kill('SIGKILL'));
  const lines = createInterface({ input: worker.stdout })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => String((await lines.next()).value);
  const { supervisor } = JSON.parse(await nextLine()) as { supervisor: number };
  await until(() => hasSpread(token));
  return { process: worker, supervisorPid: supervisor, token, nextLine };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe.each(LEVELS)('with isolation %s', (level) => {
  it('everything of a run dies at its deadline while its worker is stopped', async () => {
    const worker = await startWorker(level, 1_000);
    worker.process.kill('SIGSTOP');
    await until(() => livingWith(worker.token).length === 0);
    expect(isAlive(worker.supervisorPid)).toBe(true);
    worker.process.kill('SIGCONT');
    const result = JSON.parse(await worker.nextLine()) as StepResult;
    expect(result.outcome).toBe('deadline');
  });

  it('everything of a run dies when its worker is killed, and the supervisor ends', async () => {
    const worker = await startWorker(level, 60_000);
    worker.process.kill('SIGKILL');
    await once(worker.process, 'exit');
    await until(() => livingWith(worker.token).length === 0);
    await until(() => !isAlive(worker.supervisorPid));
  });

  it('everything of a run dies with its supervisor; the worker is told and can start another', async () => {
    const supervisor = await start(level);
    const token = makeToken();
    const run = supervisor.openRun({ runId: token, deadlineMs: 60_000 });
    const step = run.step(stepOf(spreadingScript(token)));
    await until(() => hasSpread(token));
    process.kill(supervisor.pid, 'SIGKILL');
    expect(await step).toMatchObject({ outcome: 'killed', error: expect.stringContaining('SIGKILL') });
    expect(livingWith(token)).toEqual([]);
    expect(await supervisor.exited).toMatchObject({ expected: false, reason: 'it was killed by SIGKILL' });
    expect(await run.step(stepOf('true'))).toMatchObject({ outcome: 'killed' });
    await run.close();

    const next = (await start(level)).openRun({ runId: makeToken(), deadlineMs: 60_000 });
    expect(await next.step(stepOf('true'))).toMatchObject({ outcome: 'exited', exitCode: 0 });
  });

  it('a supervisor that hangs is killed, and everything of its runs', async () => {
    const supervisor = await start(level, 400);
    const token = makeToken();
    const run = supervisor.openRun({ runId: token, deadlineMs: 60_000 });
    const step = run.step(stepOf(spreadingScript(token)));
    await until(() => hasSpread(token));
    // First of all, since nothing stopped can be told to end.
    cleanUps.unshift(async () => {
      if (isAlive(supervisor.pid)) process.kill(supervisor.pid, 'SIGKILL');
      await endLeftovers([token]);
    });
    process.kill(supervisor.pid, 'SIGSTOP');
    run.extend(60_000);
    expect(await step).toMatchObject({ outcome: 'killed' });
    expect(livingWith(token)).toEqual([]);
  });

  it('a run without a new deadline dies, and stays dead', async () => {
    const run = (await start(level)).openRun({ runId: makeToken(), deadlineMs: 500 });
    expect(await run.step(stepOf('sleep 100'))).toMatchObject({ outcome: 'deadline', signal: 'SIGKILL' });
    run.extend(60_000);
    expect(await run.step(stepOf('true'))).toMatchObject({ outcome: 'deadline', exitCode: null });
  });

  it('a run lives on as long as it is fed', async () => {
    const run = (await start(level)).openRun({ runId: makeToken(), deadlineMs: 1_500 });
    const feed = setInterval(() => run.extend(1_500), 100);
    expect(await run.step(stepOf('sleep 3'))).toMatchObject({ outcome: 'exited', exitCode: 0 });
    clearInterval(feed);
  });

  it('when a run is killed everything of it is dead, and only of it', async () => {
    const supervisor = await start(level);
    const [token, other] = [makeToken(), makeToken()];
    const run = supervisor.openRun({ runId: token, deadlineMs: 60_000 });
    const otherRun = supervisor.openRun({ runId: other, deadlineMs: 60_000 });
    const step = run.step(stepOf(spreadingScript(token)));
    const otherStep = otherRun.step(stepOf(spreadingScript(other)));
    await until(() => hasSpread(token) && hasSpread(other));
    await run.kill('the lease was lost');
    expect(livingWith(token)).toEqual([]);
    expect(await step).toMatchObject({ outcome: 'killed', error: 'the lease was lost', signal: 'SIGKILL' });
    expect(await run.step(stepOf('true'))).toMatchObject({ outcome: 'killed', error: 'the lease was lost' });
    expect(hasSpread(other)).toBe(true);
    await otherRun.close();
    expect(livingWith(other)).toEqual([]);
    expect(await otherStep).toMatchObject({ outcome: 'killed' });
  });

  it('stopping a supervisor kills all its runs', async () => {
    const supervisor = await start(level);
    const token = makeToken();
    const step = supervisor.openRun({ runId: token, deadlineMs: 60_000 }).step(stepOf(spreadingScript(token)));
    await until(() => hasSpread(token));
    await supervisor.stop();
    expect(livingWith(token)).toEqual([]);
    expect(await step).toMatchObject({ outcome: 'killed' });
    expect(await supervisor.exited).toMatchObject({ expected: true });
  });

  it('nothing of a step outlives it, and a daemon that holds its output does not keep it from ending', async () => {
    const run = (await start(level)).openRun({ runId: makeToken(), deadlineMs: 60_000 });
    const token = makeToken();
    const script = spreadingScript(token).replace(/while[^\n]*$/, 'sleep 0.5; exit 3');
    expect(await run.step(stepOf(script))).toMatchObject({ outcome: 'exited', exitCode: 3, outputTail: 'spread\n' });
    expect(livingWith(token)).toEqual([]);
  });

  it('a terminal cannot end the supervisor', async () => {
    const supervisor = await start(level);
    const run = supervisor.openRun({ runId: makeToken(), deadlineMs: 60_000 });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.kill(supervisor.pid, signal);
    expect(await run.step(stepOf('echo still here'))).toMatchObject({ outputTail: 'still here\n' });
  });
});

it('a step that comes to life when its supervisor is dead already ends by itself', async () => {
  const wall = await findWall(process.env['PATH'] ?? '', 'group');
  const [file = '', ...args] = walledIn(wall, [], ['echo', 'alive']);
  expect(spawnSync(file, args, { encoding: 'utf8' }).stdout).toBe('alive\n');
  // Somebody else is its parent, as after the supervisor's death.
  const orphan = spawnSync('/bin/sh', ['-c', '"$@"; exit $?', 'sh', file, ...args], { encoding: 'utf8' });
  expect(orphan).toMatchObject({ status: 1, stdout: '' });
});

it('what a supervisor at level group leaves when its worker goes too is ended by whoever comes next', async () => {
  const worker = await startWorker('group', 60_000);
  // Stopped first, so that it cannot see to it.
  worker.process.kill('SIGSTOP');
  process.kill(worker.supervisorPid, 'SIGKILL');
  worker.process.kill('SIGKILL');
  await once(worker.process, 'exit');
  await until(() => !isAlive(worker.supervisorPid));
  await endLeftovers([worker.token]);
  expect(livingWith(worker.token)).toEqual([]);
  expect(groupsOf(worker.supervisorPid)).toEqual([]);
});

it('the control groups of a dead supervisor are emptied by the next one that starts', async () => {
  const worker = await startWorker('group', 60_000);
  const had = groupsOf(worker.supervisorPid);
  worker.process.kill('SIGSTOP');
  process.kill(worker.supervisorPid, 'SIGKILL');
  worker.process.kill('SIGKILL');
  await once(worker.process, 'exit');
  await start('group');
  expect(groupsOf(worker.supervisorPid)).toEqual([]);
  // Without a group nobody knows of it until its run is found to be over.
  if (had.length === 0) await endLeftovers([worker.token]);
  expect(livingWith(worker.token)).toEqual([]);
});

it('in a pid namespace even a process that left its session, its parent and its environment dies', async (context) => {
  const supervisor = await start('pidns');
  if (supervisor.isolation.level !== 'pidns') return context.skip('this host allows no pid namespaces');
  const token = makeToken();
  const run = supervisor.openRun({ runId: makeToken(), deadlineMs: 60_000 });
  const daemon = `env -i setsid /bin/sh -c 'while :; do /bin/sleep 1; done' ${token}`;
  const step = run.step(stepOf(`(${daemon} >/dev/null 2>&1 &)\nsleep 100`));
  await until(() => livingWith(token).length > 0);
  await run.kill('test');
  expect(livingWith(token)).toEqual([]);
  await step;
});

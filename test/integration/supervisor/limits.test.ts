/** What a step may use, and what is told when it uses more. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isolationCheck } from '../../../src/cli/doctor/checks.ts';
import { defineConfig } from '../../../src/config/config.ts';
import { type Cgroup, findCgroups } from '../../../src/runner/supervisor/cgroup.ts';
import {
  type Isolation,
  type StepLimits,
  type StepResult,
  type Supervisor,
  startSupervisor,
} from '../../../src/runner/supervisor/client.ts';
import { works } from '../../../src/runner/supervisor/isolation.ts';
import { LimitWatch } from '../../../src/runner/supervisor/limit-watch.ts';
import { groupsOf, livingWith, makeToken, stepOf, until } from './support.ts';

const MIB = 2 ** 20;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'limits-test-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** A process that takes so much memory and holds it. */
function holding(bytes: number): string[] {
  return [process.execPath, '-e', `const all = Buffer.alloc(${bytes}, 1); setTimeout(() => all, 60_000)`];
}

/** A script that has so many processes at once, for a while. */
function crowd(count: number): string {
  return `for i in $(seq ${count}); do sleep 30 & done; wait`;
}

describe.each<Isolation['level']>(['pidns', 'group'])('a step with isolation %s', (level) => {
  let supervisor: Supervisor;
  beforeAll(async () => {
    supervisor = await startSupervisor({ env: process.env, isolation: level, answerMs: 3_000 });
  });
  afterAll(() => supervisor.stop());

  async function runStep(command: string | string[], limits: Partial<StepLimits>): Promise<StepResult> {
    const run = supervisor.openRun({ runId: makeToken(), deadlineMs: 120_000 });
    try {
      return await run.step(stepOf(command, { limits: { folder, ...limits } }));
    } finally {
      await run.close();
    }
  }

  it('that uses more memory than it may is killed, and told so', async () => {
    const result = await runStep(holding(300 * MIB), { memoryBytes: 128 * MIB });
    expect(result).toMatchObject({ outcome: 'limit', error: 'it used more than 128MiB of memory (memoryLimit)' });
  });

  it('that has more processes than it may is killed, and told so', async () => {
    const result = await runStep(crowd(60), { processes: 40 });
    const error = 'it had more than 40 processes and threads at once (processLimit)';
    expect(result).toMatchObject({ outcome: 'limit', error });
  });

  it('that fills its folder is killed, and told so, also if it has ended before anybody looked', async () => {
    const file = join(folder, `full-${level}`);
    const error = 'its run’s folder held more than 4MiB (diskLimit)';
    const fill = `head -c ${8 * MIB} /dev/zero > ${file}`;
    expect(await runStep(`${fill}; sleep 60`, { diskBytes: 4 * MIB })).toMatchObject({ outcome: 'limit', error });
    rmSync(file);
    expect(await runStep(fill, { diskBytes: 4 * MIB })).toMatchObject({ outcome: 'limit', error });
    rmSync(file);
  });

  it('that stays within its limits is let be', async () => {
    const result = await runStep('sleep 0.7', { memoryBytes: 128 * MIB, processes: 40, diskBytes: 4 * MIB });
    expect(result).toMatchObject({ outcome: 'exited', exitCode: 0 });
  });

  it('leaves no control group', async () => {
    await runStep('true', {});
    expect(groupsOf(supervisor.pid)).toEqual([]);
  });
});

describe('without a control group', () => {
  /** What a watch of a process tells when it measures alone. */
  async function measured(argv: readonly string[], limits: Partial<StepLimits>): Promise<string> {
    const [file = '', ...args] = argv;
    const child = spawn(file, args, { stdio: 'ignore' });
    children.push(child);
    await once(child, 'spawn');
    const watched = { limits: { folder, ...limits }, cgroup: undefined, bound: [], pids: () => [child.pid ?? 0] };
    let watch: LimitWatch | undefined;
    const told = await new Promise<string>((resolve) => {
      watch = new LimitWatch({ ...watched, wallProcesses: 0 }, resolve);
    });
    await watch?.stop();
    return told;
  }

  it('memory, processes and threads are measured', async () => {
    expect(await measured(holding(200 * MIB), { memoryBytes: 128 * MIB })).toContain('memoryLimit');
    // A Node program has several threads.
    expect(await measured(holding(1), { processes: 1 })).toContain('processLimit');
  });
});

describe('a control group', () => {
  const enter = async ({ entrances }: Cgroup): Promise<boolean> =>
    await works(['/bin/sh', '-c', 'for file; do echo 0 >"$file" || exit 1; done', 'sh', ...entrances]);

  it('finds a process that has left session, parent and environment, and takes it away', async (context) => {
    const cgroups = await findCgroups(enter);
    if (cgroups === undefined) return context.skip('no control group can be made here');
    const token = makeToken();
    const group = cgroups.make('test', {});
    const daemon = `env -i setsid /bin/sh -c 'while :; do /bin/sleep 1; done' ${token}`;
    const start = `for file; do echo 0 >"$file"; done; (${daemon} >/dev/null 2>&1 &)`;
    await once(spawn('/bin/sh', ['-c', start, 'sh', ...group.entrances]), 'exit');
    await until(() => livingWith(token).length > 0);
    expect(group.pids().length).toBeGreaterThan(0);
    await group.remove();
    expect(livingWith(token)).toEqual([]);
    expect(group.pids()).toEqual([]);
  });
});

describe('doctor', () => {
  it('says which isolation is in force, what it includes and how the limits are kept', async () => {
    const check = await isolationCheck(defineConfig({ memoryLimit: '512MiB', diskLimit: '2GiB' }));
    expect(check.message).toMatch(/^(pidns|group), (no cgroup|cgroup v[12] (for (memory|pids)|without limits))/);
    expect(check.message).toMatch(
      /memory 512 ?MiB \((by its cgroup|measured)\), disk 2(\.0)? ?GiB \(measured\), output 64/,
    );
  });
});

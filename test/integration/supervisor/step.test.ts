import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Isolation,
  type StepOptions,
  type StepResult,
  type SupervisedRun,
  type Supervisor,
  startSupervisor,
} from '../../../src/runner/supervisor/client.ts';
import { stepEnv } from '../../../src/runner/supervisor/step-env.ts';
import { makeToken, stepOf } from './support.ts';

const isLinux = process.platform === 'linux';
const MB = 1_000_000;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'supervisor-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe.each<Isolation['level']>(['pidns', 'group'])('a step with isolation %s', (level) => {
  let supervisor: Supervisor;
  beforeAll(async () => {
    supervisor = await startSupervisor({ env: process.env, isolation: level, answerMs: 3_000 });
  });
  afterAll(() => supervisor.stop());

  function openRun(): SupervisedRun {
    return supervisor.openRun({ runId: makeToken(), deadlineMs: 120_000 });
  }

  /** Runs one step in a run of its own. */
  async function runStep(command: string | string[], more: Partial<StepOptions> = {}): Promise<StepResult> {
    const run = openRun();
    try {
      return await run.step(stepOf(command, { logFile: join(folder, `${makeToken()}.log`), ...more }));
    } finally {
      await run.close();
    }
  }

  it.each<[string, { exitCode: number | null; signal: string | null }]>([
    ['true', { exitCode: 0, signal: null }],
    ['exit 3', { exitCode: 3, signal: null }],
    ['exit 129', { exitCode: 129, signal: null }],
    ['exit 255', { exitCode: 255, signal: null }],
    ['kill -KILL $$', { exitCode: null, signal: 'SIGKILL' }],
    ['kill -TERM $$', { exitCode: null, signal: 'SIGTERM' }],
    ['kill -HUP $$', { exitCode: null, signal: 'SIGHUP' }],
    ['kill -INT $$', { exitCode: null, signal: 'SIGINT' }],
    ['kill -SEGV $$', { exitCode: null, signal: 'SIGSEGV' }],
    ['kill -PIPE $$', { exitCode: null, signal: 'SIGPIPE' }],
  ])('that ends by `%s` is told so', async (script, end) => {
    expect(await runStep(script)).toMatchObject({ outcome: 'exited', ...end, outputTail: '' });
  });

  it.each<[string, string[], Partial<StepOptions>, RegExp]>([
    ['a command that is not there', ['no-such-command'], {}, /no-such-command/],
    ['a file that is not executable', ['/etc/passwd'], {}, /\/etc\/passwd/],
    ['a folder', ['/tmp'], {}, /\/tmp/],
    ['an empty command', [], {}, /\(empty\)/],
    ['no PATH to look in', ['true'], { env: {} }, /true/],
    ['a missing working folder', ['true'], { cwd: '/no/such/folder' }, /working folder.*\/no\/such\/folder/],
    ['a log that cannot be made', ['true'], { logFile: '/dev/null/x/log' }, /\/dev\/null/],
    ['arguments beyond what the system takes', ['echo', 'x'.repeat(3 * MB)], {}, /E2BIG|too long/],
  ])('is not started because of %s', async (...[, argv, more, error]) => {
    const result = await runStep(argv, more);
    expect(result).toMatchObject({ outcome: 'not_started', exitCode: null, signal: null });
    expect(result.error).toMatch(error);
  });

  it('runs an argv without a shell, from its working folder', async () => {
    await writeFile(join(folder, 'here.sh'), '#!/bin/sh\npwd; printf "<%s>" "$@"', { mode: 0o755 });
    const { outputTail } = await runStep(['./here.sh', '$HOME', 'a b', "'"], { cwd: folder });
    expect(outputTail).toBe(`${folder}\n<$HOME><a b><'>`);
  });

  it('sees the environment it was given and nothing of its worker', async () => {
    const runner = { taskId: 't', runnerId: 'r', run: 1, workspace: folder, branch: 'b' };
    const base = { PATH: process.env['PATH'], REDIS_URL: 'redis://x', SIGNALBOX_TOKEN: 'x' };
    const env = stepEnv({ base, taskEnv: { MINE: '1' }, secrets: {}, runner, home: folder });
    const run = supervisor.openRun({ runId: 'r', deadlineMs: 60_000 });
    const { outputTail } = await run.step(stepOf(['env'], { env }));
    await run.close();
    const seen = Object.fromEntries(
      outputTail
        .trim()
        .split('\n')
        .map((line) => [line.split('=', 1)[0], line.slice(line.indexOf('=') + 1)]),
    );
    // The shells that wrap a step may add these.
    for (const name of ['PWD', 'OLDPWD', 'SHLVL', '_']) delete seen[name];
    expect(seen).toEqual(env);
  });

  it('has no input, and a stdout and stderr that scripts can open', async () => {
    const result = await runStep(
      'cat; echo one; echo two >&2; echo three >/dev/stderr; echo four >/dev/stdout; echo five',
    );
    expect(result).toMatchObject({ exitCode: 0, outputTail: 'one\ntwo\nthree\nfour\nfive\n' });
  });

  it.runIf(isLinux)('is the first to go when memory runs out', async () => {
    expect(await runStep('cat /proc/self/oom_score_adj')).toMatchObject({ outputTail: '500\n' });
  });

  it('that takes too long is asked to end', async () => {
    const result = await runStep("trap 'echo bye; exit 7' TERM; while :; do sleep 0.05; done", { timeoutMs: 400 });
    expect(result).toMatchObject({ outcome: 'timeout', exitCode: 7 });
    expect(result.outputTail).toMatch(/bye\n$/);
    expect(result.error).toContain('400 ms');
    expect(result.durationMs).toBeGreaterThanOrEqual(400);
  });

  it('that does not hear is killed 2 s later', async () => {
    const result = await runStep("trap '' TERM; while :; do sleep 0.05; done", { timeoutMs: 300 });
    expect(result).toMatchObject({ outcome: 'timeout', exitCode: null, signal: 'SIGKILL' });
    expect(result.durationMs).toBeGreaterThanOrEqual(2_300);
    expect(result.durationMs).toBeLessThan(10_000);
  });

  it('that falls silent has stalled, one that goes on writing has not', async () => {
    const run = openRun();
    const chatty = 'for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.2; done';
    const [silent, busy] = await Promise.all([
      runStep('echo begun; sleep 100', { stallTimeoutMs: 1_500 }),
      run.step(stepOf(chatty, { stallTimeoutMs: 1_500 })),
    ]);
    await run.close();
    expect(silent).toMatchObject({ outcome: 'stalled', outputTail: 'begun\n' });
    expect(busy).toMatchObject({ outcome: 'exited', exitCode: 0 });
  });

  it('is refused while another of its run goes on', async () => {
    const run = openRun();
    const first = run.step(stepOf('sleep 100'));
    expect(await run.step(stepOf('true'))).toMatchObject({
      outcome: 'killed',
      error: expect.stringContaining('another step'),
    });
    await run.close();
    expect(await first).toMatchObject({ outcome: 'killed' });
    expect(await run.step(stepOf('true'))).toMatchObject({ outcome: 'killed', error: 'the run is closed' });
  });

  it('shares nothing with those of other runs at the same time', async () => {
    const results = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((n) => runStep(`for i in 1 2 3; do echo ${n}; done; exit ${n}`)),
    );
    results.forEach((result, index) => {
      expect(result).toMatchObject({ exitCode: index + 1, outputTail: `${index + 1}\n`.repeat(3) });
    });
  });

  it('adds to its log, which only its user can read', async () => {
    const logFile = join(folder, 'deep', makeToken(), 'step.log');
    await runStep('echo one', { logFile });
    expect(await runStep('echo two', { logFile })).toMatchObject({ logBytes: 4, truncated: false });
    expect(readFileSync(logFile, 'utf8')).toBe('one\ntwo\n');
    expect((await stat(logFile)).mode & 0o777).toBe(0o600);
  });

  it.runIf(existsSync('/dev/full'))('goes on when its log cannot be written, and says so', async () => {
    const result = await runStep('echo kept', { logFile: '/dev/full' });
    expect(result).toMatchObject({ outcome: 'exited', exitCode: 0, outputTail: 'kept\n', logBytes: 0 });
    expect(result.error).toContain('ENOSPC');
  });

  it('shows no secret in log, tail or error, though pauses and chunks split it', async () => {
    const secret = 'tr0ub4dor&3-tr0ub4dor&3';
    const logFile = join(folder, `${makeToken()}.log`);
    const script = `printf 'a tr0ub'; sleep 0.2; printf '4dor&3-tr0'; sleep 0.2; echo 'ub4dor&3 z'
      head -c 65530 /dev/zero | tr '\\0' x; printf %s "$SECRET" | base64; printf '%s' "$SECRET"`;
    const env = { PATH: process.env['PATH'] ?? '', SECRET: secret };
    const { outputTail } = await runStep(script, { env, logFile, secrets: [secret] });
    const log = readFileSync(logFile, 'utf8');
    expect(log).toBe(`a *** z\n${'x'.repeat(65_530)}***\n***`);
    expect(log.endsWith(outputTail)).toBe(true);
    expect((await runStep([secret], { secrets: [secret] })).error).toMatch(/\*\*\*/);
  });

  it('can write far more than is kept: the log has the head, the result the tail, memory neither', async () => {
    const logFile = join(folder, `${makeToken()}.log`);
    await runStep('head -c 20000000 /dev/zero', { secrets: ['warm-up'] });
    const before = isLinux ? peakMemory(supervisor.pid) : 0;
    const script = "echo head; head -c 200000000 /dev/zero | tr '\\0' x; printf 'ä%.0s' $(seq 5000); echo end";
    const result = await runStep(script, { logFile, logLimitBytes: 50_001, secrets: ['hidden'] });
    const log = readFileSync(logFile, 'utf8');
    expect(log.slice(0, 10)).toBe('head\nxxxxx');
    expect(log.slice(50_001)).toBe('\n[signalbox: output beyond 50001 bytes is not kept in this log]\n');
    expect(result).toMatchObject({ exitCode: 0, truncated: true, logBytes: log.length });
    expect(result.droppedBytes).toBe(5 + 200_000_000 + 10_000 + 4 - 50_001);
    expect(result.outputTail).toMatch(/^ä+end\n$/);
    expect(Buffer.byteLength(result.outputTail)).toBeGreaterThan(8_000);
    expect(Buffer.byteLength(result.outputTail)).toBeLessThanOrEqual(8 * 1024);
    // 200 MB went through.
    if (isLinux) expect(peakMemory(supervisor.pid) - before).toBeLessThan(50 * MB);
  });
});

/** The most memory that a process has used so far, in bytes. */
function peakMemory(pid: number): number {
  const kB = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kB) * 1024;
}

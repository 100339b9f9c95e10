/** The bench: prints what it measures and asserts no speed. It fails only if exclusion or waking failed. */

import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { openSandbox } from '../sandbox/sandbox.ts';
import { stopSignal } from '../sandbox/stop-signal.ts';
import { agreement } from './agreement.ts';
import { estimate } from './estimate.ts';
import { Fleet } from './fleet.ts';
import { type Amount, contention, type Faults, handOver, throughput } from './measure.ts';
import { type BenchReport, renderBench, type Setting } from './report.ts';

const HELP = `usage: npm run bench [-- options]

Measures Signalbox in two worker processes with eight runners each, on a private Redis, and what it is compared with in
the same run.

  contention  400 handler tasks of about 60 ms that want one of 100 branches and 1 to 3 of 400 files, both chosen by
              Zipf's law with exponents 0, 0.5, 0.8 and 1.1: makespan over that of a list scheduler that knows all and
              costs nothing. Compared with BullMQ whose workers retry redlock.
  throughput  tasks a second that do nothing and share nothing. Compared with BullMQ alone, and with redlock on 4 keys.
  agreement   the contended workload run, and simulated with the same durations: makespan and order of starts
  estimate    how far estimated starts are from the real ones: tasks of four kinds, four owners, in batches; the median
              of |estimated − real wait| over the real wait, at submission and when a task gets in line
  hand-over   from the end of one task's step to the start of the next one's, on one branch with 200 in line at first.
              Compared with BullMQ whose workers retry redlock.

  --only NAME      one of these
  --runs N         how often each is repeated (3)
  --seed N         what the tasks are drawn from (1)
  --profile DIR    lets the workers write CPU profiles there, and prints what Redis spent its time on
  --json           prints one JSON value on stdout, and messages on stderr
  --help           shows this

Exit codes: 0 measured, 1 two tasks overlapped, a waiter was not woken or the bench failed, 2 wrong usage, 130 stopped.
`;

interface Options {
  readonly only: string | undefined;
  readonly runs: number;
  readonly seed: number;
  readonly profile: string | undefined;
  readonly json: boolean;
}

async function main(options: Options): Promise<number> {
  using stopped = stopSignal();
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const sandbox = await openSandbox({ name: 'bench' });
  try {
    const setting = await settingOf(sandbox.redisUrl, options);
    const profileDir = options.profile === undefined ? undefined : resolve(options.profile);
    const fleet = new Fleet(sandbox, { profileDir, signal: stopped.signal });
    const report = await measure(fleet, setting, { ...options, say });
    if (profileDir !== undefined) say(await commandStats(sandbox.redisUrl));
    process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : renderBench(report));
    return report.overlaps.length === 0 && report.deadManFired === 0 ? 0 : 1;
  } catch (error) {
    say(stopped.signal.aborted ? 'stopped' : `the bench failed: ${(error as Error).message}`);
    return stopped.signal.aborted ? 130 : 1;
  } finally {
    await sandbox.close();
  }
}

async function measure(fleet: Fleet, setting: Setting, amount: Amount & Pick<Options, 'only'>): Promise<BenchReport> {
  const wanted = (name: string): boolean => amount.only === undefined || amount.only === name;
  const contended = wanted('contention') ? await contention(fleet, amount) : undefined;
  const through = wanted('throughput') ? await throughput(fleet, amount) : undefined;
  const handed = wanted('hand-over') ? await handOver(fleet, amount) : undefined;
  const agreed = wanted('agreement') ? await agreement(fleet, amount) : undefined;
  const estimated = wanted('estimate') ? await estimate(fleet, amount) : undefined;
  const all: readonly Faults[] = [contended, through, handed, agreed, estimated].filter((one) => one !== undefined);
  return {
    setting,
    ...(contended === undefined ? {} : { contention: contended.figures }),
    ...(through === undefined ? {} : { throughput: through.figures }),
    ...(handed === undefined ? {} : { handOver: handed.figures }),
    ...(agreed === undefined ? {} : { agreement: agreed.figures }),
    ...(estimated === undefined ? {} : { estimate: estimated.figures }),
    overlaps: all.flatMap((one) => one.overlaps),
    deadManFired: all.reduce((sum, one) => sum + one.deadManFired, 0),
  };
}

async function settingOf(redisUrl: string, { seed, runs }: Options): Promise<Setting> {
  const cores = cpus();
  const redis = new Redis(redisUrl);
  const server = /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? 'unknown';
  redis.disconnect();
  const versions = {
    node: process.versions.node,
    redis: server,
    bullmq: versionOf('bullmq'),
    redlock: versionOf('redlock'),
  };
  const memory = Math.round(totalmem() / 2 ** 30);
  const machine = `${cores.length} × ${cores[0]?.model.trim() ?? 'CPU'}, ${memory} GiB, ${process.platform} ${process.arch}`;
  return { machine, versions, seed, runs, load: loadavg()[0] ?? 0 };
}

function versionOf(name: string): string {
  const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

async function commandStats(redisUrl: string): Promise<string> {
  const redis = new Redis(redisUrl);
  const stats = await redis.info('commandstats');
  redis.disconnect();
  const usec = (line: string): number => Number(/usec=(\d+)/.exec(line)?.[1] ?? 0);
  const lines = stats.split('\r\n').filter((line) => line.startsWith('cmdstat_'));
  return lines
    .sort((a, b) => usec(b) - usec(a))
    .slice(0, 20)
    .join('\n');
}

function readOptions(): Options | 'help' | undefined {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  try {
    const { values } = parseArgs({
      options: { only: text, runs: text, seed: text, profile: text, json: flag, help: flag },
    });
    const { only, runs = '3', seed = '1', profile, json, help } = values;
    if (help) return 'help';
    if (only !== undefined && !['contention', 'throughput', 'hand-over', 'agreement', 'estimate'].includes(only))
      throw new Error(`--only ${only}: there is no such measurement`);
    if (!/^[1-9]\d{0,2}$/.test(runs) || !/^\d{1,9}$/.test(seed))
      throw new Error('--runs and --seed must be whole numbers');
    return { only, runs: Number(runs), seed: Number(seed), profile, json };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${HELP}`);
    return undefined;
  }
}

const options = readOptions();
if (options === undefined) process.exitCode = 2;
else if (options === 'help') process.stdout.write(HELP);
else process.exitCode = await main(options);

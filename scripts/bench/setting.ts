/** Where and how it was measured: what one needs to judge the figures or to get them again. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import type { Redis } from 'ioredis';
import { postgresVersion } from './postgres.ts';

/** The machine, and what was used. */
export interface Setting {
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly seed: number;
  /** What else the machine was doing when it began: its load average of the last minute. */
  readonly load: number;
}

const PACKAGES = ['bullmq', 'ioredis', 'redlock', 'groupmq', 'graphile-worker'];

/** Looks at the machine. */
export async function settingOf(redis: Redis, seed: number): Promise<Setting> {
  const cores = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return {
    machine: `${cores.length} × ${cores[0]?.model.trim() ?? 'CPU'}, ${memory} GiB, ${process.platform} ${process.arch}`,
    versions: {
      node: process.versions.node,
      redis: /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? 'unknown',
      git: /\d\S*/.exec(execFileSync('git', ['--version'], { encoding: 'utf8' }))?.[0] ?? 'unknown',
      postgres: postgresVersion() ?? 'missing',
      ...Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
    },
    seed,
    load: loadavg()[0] ?? 0,
  };
}

function versionOf(name: string): string {
  const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version.replace(/^v/, '');
}

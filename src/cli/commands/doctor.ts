/** `signalbox doctor`: checks all that Signalbox relies on. */

import { votingServers } from '../../claims/lock-servers.ts';
import type { Signalbox } from '../../client/signalbox.ts';
import { loadConfig } from '../../config/config.ts';
import type { Options } from '../../config/options.ts';
import { processSources } from '../../config/process.ts';
import { topologyOf, withoutCredentials } from '../../redis/connect.ts';
import { type Finding, redisFindings } from '../../redis/health.ts';
import { lockServerFindings } from '../../redis/lock-server-health.ts';
import { type Context, command } from '../command.ts';
import * as checks from '../doctor/checks.ts';
import * as security from '../doctor/security.ts';
import { readError } from '../errors.ts';
import { indent } from '../format.ts';
import { userGit } from '../git.ts';
import type { Output } from '../output.ts';

interface DoctorOptions {
  readonly repo?: string;
}

/** Checks Redis, this machine and, if asked, a remote. Exit code 1 if what must be is not. */
export const doctor = command<DoctorOptions>({
  name: 'doctor',
  summary: 'check Redis, git, this machine and a remote, and say what to fix',
  details: `A failed check of level \`error\` makes the exit code 1; one of level \`warn\` is advice.`,
  json: '{ok,checks:[{name,ok,level,message,next}]}',
  examples: ['signalbox doctor', 'signalbox doctor --repo .', 'signalbox doctor --json'],
  options: (made) => made.option('--repo <repo>', 'check this repository’s remote too: an address or a path'),
  run: async ({ options, flags, out, connect }) => {
    const findings = await examine({ flags, connect, repo: options.repo });
    const ok = findings.every((finding) => finding.ok || finding.level !== 'error');
    out.data({ ok, checks: findings }, () => findings.map((finding) => lineOf(finding, out)).join('\n'));
    return ok ? undefined : 1;
  },
});

interface Patient {
  readonly flags: Options;
  readonly connect: Context<unknown>['connect'];
  readonly repo: string | undefined;
}

async function examine({ flags, connect, repo }: Patient): Promise<Finding[]> {
  const config = loadConfig({ ...processSources(), flags });
  const git = userGit();
  const parts = await Promise.all([
    redisChecks(connect),
    lockServerFindings(votingServers(config)),
    checks.gitCheck(git).then((finding) => [finding]),
    security.hooksCheck(git).then((finding) => [finding]),
    checks.diskChecks(config.dataDir),
    checks.isolationCheck(config).then((finding) => [finding]),
    repo === undefined ? [] : checks.remoteChecks(git, repo),
  ]);
  return [...parts.flat(), checks.recoveryNote(config)];
}

async function redisChecks(connect: () => Promise<Signalbox>): Promise<Finding[]> {
  try {
    await using box = await connect();
    const { config, queue } = box;
    const message = `answers at ${withoutCredentials(config.redisUrl)}${topologyOf(queue.redis)}`;
    const reached: Finding = { name: 'redis', ok: true, level: 'error', message, next: '' };
    return [
      reached,
      ...(await redisFindings(queue.redis, config.leaseTtlMs)),
      ...(await security.accessChecks(queue, config)),
      await security.signingCheck(queue, config),
      await checks.workersCheck(queue),
    ];
  } catch (error) {
    const { message, next } = readError(error);
    return [{ name: 'redis', ok: false, level: 'error', message, next }];
  }
}

function lineOf({ name, ok, level, message, next }: Finding, { paint }: Output): string {
  const mark = ok ? paint('green', 'ok   ') : level === 'error' ? paint('red', 'error') : paint('yellow', 'warn ');
  const advice = next === '' ? '' : `\n${indent(next, ' '.repeat(26))}`;
  return `${mark} ${name.padEnd(18)}  ${message}${advice}`;
}

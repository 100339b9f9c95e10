/** The checks of `doctor` about who can do what: signatures, the way to Redis, its user, and planted hooks. */

import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Config } from '../../config/config.ts';
import { parseRedisAddress } from '../../config/redis-address.ts';
import type { Git } from '../../git/git.ts';
import type { TaskRecord } from '../../queue/record.ts';
import type { TaskQueue } from '../../queue/task-queue.ts';
import type { Finding } from '../../redis/health.ts';
import { countText } from '../format.ts';

/** How many waiting tasks are looked at. */
const LOOK_AT = 200;
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/;

/** Whether tasks are signed, and those that wait with this very key. */
export async function signingCheck({ store }: TaskQueue, { redisUrl }: Readonly<Config>): Promise<Finding> {
  const { signer } = store;
  if (signer === undefined) {
    const ok = isLocal(redisUrl);
    const message = 'tasks are not signed: whoever can write to Redis can have workers run anything';
    const next = ok ? '' : 'Set one SIGNALBOX_SIGNING_KEY for all who submit and all workers.';
    return { name: 'signing', ok, level: 'warn', message, next };
  }
  const ids = await store.waitingForWorker(LOOK_AT);
  const foreign = (await store.getMany(ids)).filter((record) => !isSigned(record, signer.check.bind(signer)));
  const ok = foreign.length === 0;
  const message = ok
    ? 'tasks are signed'
    : `${countText(foreign.length, 'waiting task')} not signed with this key, such as ${foreign[0]?.id}; workers set them aside`;
  const next = ok ? '' : 'Cancel them and submit them again; see that all have the same SIGNALBOX_SIGNING_KEY.';
  return { name: 'signing', ok, level: 'warn', message, next };
}

function isSigned(record: TaskRecord, check: (record: TaskRecord) => void): boolean {
  try {
    check(record);
    return true;
  } catch {
    return false;
  }
}

/** Whether others on the way can read what Redis is told, and whether anybody may tell it something. */
export async function accessChecks({ redis }: TaskQueue, { redisUrl }: Readonly<Config>): Promise<Finding[]> {
  const isTls = redisUrl.startsWith('rediss');
  const local = isLocal(redisUrl);
  // A user that may not ask is not the default one, which may do everything.
  const user = await redis.acl('WHOAMI').catch(() => 'a limited user');
  const isOpen = user === 'default' && !/\/\/[^/]*@/.test(redisUrl) && !local;
  return [
    {
      name: 'redis-tls',
      ok: isTls || local,
      level: 'warn',
      message: isTls ? 'talks to Redis over TLS' : local ? 'Redis is on this machine' : 'talks to Redis in the clear',
      next: isTls || local ? '' : 'Use an address that begins with `rediss://`; see docs/security.md.',
    },
    {
      name: 'redis-user',
      ok: !isOpen,
      level: 'warn',
      message: isOpen ? 'everybody who reaches this Redis may do everything in it' : `is ${user} to Redis`,
      next: isOpen ? 'Give it users with passwords; docs/security.md has one for each role.' : '',
    },
  ];
}

/** Plants a hook in a repository and has git do what would run it. */
export async function hooksCheck(git: Git): Promise<Finding> {
  const dir = await mkdtemp(join(tmpdir(), 'signalbox-doctor-'));
  const hook = join(dir, 'hooks', 'reference-transaction');
  const mark = join(dir, 'ran');
  const found = (ok: boolean, message: string, next: string): Finding => ({
    name: 'git-hooks',
    ok,
    level: 'error',
    message,
    next,
  });
  try {
    await git(['init', '--quiet', '--bare', '--template=', '--', dir]);
    await git(['config', 'core.fsmonitor', hook], { gitDir: dir });
    await writeHook(hook, `#!/bin/sh\ntouch '${mark}'\n`);
    const { stdout } = await git(['hash-object', '-w', '--stdin'], { gitDir: dir, input: '' });
    await git(['update-ref', 'refs/tags/x', stdout.trim()], { gitDir: dir });
    const ok = !existsSync(mark);
    const message = ok ? 'a hook that a task plants does not run' : 'git runs hooks that a task has planted';
    return found(ok, message, ok ? '' : 'Install another git: this one ignores `core.hooksPath`.');
  } catch (error) {
    const message = `could not be tried: ${error instanceof Error ? error.message : String(error)}`;
    return found(false, message, 'See the check of git above.');
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function writeHook(file: string, script: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, script);
  await chmod(file, 0o755);
}

function isLocal(redisUrl: string): boolean {
  const address = parseRedisAddress(redisUrl);
  if (address === undefined) return false;
  const hosts = address.kind === 'server' ? [new URL(address.url).hostname] : address.endpoints.map(({ host }) => host);
  return hosts.every((host) => LOOPBACK.test(host));
}

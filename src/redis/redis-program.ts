/** Where a private Redis can come from on this machine. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SignalboxError } from '../errors.ts';

const run = promisify(execFile);

/** Long enough for a slow disk; a Docker daemon that does not answer in this time counts as absent. */
const PROBE_TIMEOUT_MS = 10_000;

/** The image used when no Redis is installed but Docker answers. */
export const REDIS_IMAGE = 'redis:7-bookworm';

/** A program that can serve as a private Redis. */
export type RedisProgram = { readonly kind: 'binary'; readonly command: string } | { readonly kind: 'docker' };

/**
 * Finds `redis-server`, else `valkey-server`, on the PATH, else a Docker daemon that answers.
 *
 * Each candidate is run rather than looked up, so that a broken installation is passed over.
 *
 * @throws SignalboxError `REDIS_UNREACHABLE` when there is none; `next` says what to type.
 */
export async function findRedisProgram(): Promise<RedisProgram> {
  for (const command of ['redis-server', 'valkey-server']) {
    if (await answers(command, ['--version'])) return { kind: 'binary', command };
  }
  if (await answers('docker', ['version', '--format', '{{.Server.Version}}'])) return { kind: 'docker' };
  throw new SignalboxError('REDIS_UNREACHABLE', 'No REDIS_URL is set and no Redis was found on this machine.', {
    next:
      'Install one (Debian or Ubuntu: `sudo apt-get install redis-server`; macOS: `brew install redis`), ' +
      `or start one (\`docker run -d -p 127.0.0.1:6379:6379 ${REDIS_IMAGE} redis-server --appendonly yes\`) ` +
      'and set REDIS_URL=redis://127.0.0.1:6379.',
  });
}

async function answers(command: string, args: readonly string[]): Promise<boolean> {
  try {
    await run(command, args, { timeout: PROBE_TIMEOUT_MS });
    return true;
  } catch {
    return false;
  }
}

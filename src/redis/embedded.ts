/**
 * A private Redis on this machine, for `signalbox up` and the tests: loopback only, a data folder of its own, and
 * never left behind, neither by a failed start nor by a killed parent.
 */

import { mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { SignalboxError } from '../errors.ts';
import { awaitFolder, recordOwner } from './folder-owner.ts';
import { isPortFree, LOOPBACK, probePort } from './free-port.ts';
import { awaitReady } from './readiness.ts';
import { LOG_FILE, launchRedis, type RedisLaunch, type RedisProcess } from './redis-process.ts';
import { findRedisProgram } from './redis-program.ts';

/** How often a port that the system chose may be taken by another process before Redis binds it. */
const PORT_TRIES = 5;

/** What {@link startEmbeddedRedis} needs to know. */
export interface EmbeddedRedisOptions {
  /** The data folder; made if it is missing. Only one server at a time may use it. */
  readonly dir: string;
  /** The loopback port; by default a free one. */
  readonly port?: number;
  /** Whether data survives a restart, as an append-only file synced every second. */
  readonly aof: boolean;
}

/** A running private Redis. */
export interface EmbeddedRedis {
  /** Such as `redis://127.0.0.1:40123`. */
  readonly url: string;
  /** The server's process id; with Docker, that of the client that is attached to the container. */
  readonly pid: number;
  readonly port: number;
  /** Settles when the server has ended, for whatever reason. */
  readonly exited: Promise<void>;
  /** SIGTERM, then SIGKILL after ten seconds; returns when the server is gone. May be called more than once. */
  readonly stop: () => Promise<void>;
}

/**
 * Starts a private Redis (`redis-server`, `valkey-server` or a Docker container, whichever is found first) and returns
 * once it answers. It never evicts (`noeviction`): a full Redis must refuse new work, not forget claims.
 *
 * The server does not keep this process alive, and ends with it.
 *
 * @throws SignalboxError `REDIS_UNREACHABLE` when none is found, the port is taken or the server does not come up;
 * `STATE` when another server uses the folder.
 */
export async function startEmbeddedRedis(options: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const dir = resolve(options.dir);
  const program = await findRedisProgram();
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await awaitFolder(dir);
  if (options.port !== undefined) {
    return start({ program, dir, aof: options.aof, port: await claimPort(options.port) });
  }
  for (let tries = 1; ; tries += 1) {
    const port = await probePort(0);
    try {
      return await start({ program, dir, aof: options.aof, port });
    } catch (error) {
      if (tries === PORT_TRIES || (await isPortFree(port))) throw error;
    }
  }
}

async function claimPort(port: number): Promise<number> {
  try {
    return await probePort(port);
  } catch (cause) {
    throw new SignalboxError('REDIS_UNREACHABLE', `Port ${port} on ${LOOPBACK} cannot be used for a private Redis.`, {
      next: 'Choose another port, leave it out to get a free one, or set REDIS_URL to the Redis that runs there.',
      cause,
      details: { port },
    });
  }
}

async function start(launch: RedisLaunch): Promise<EmbeddedRedis> {
  let server: RedisProcess | undefined;
  try {
    server = await launchRedis(launch);
    const runId = await awaitReady(launch, server);
    await recordOwner(launch.dir, { port: launch.port, runId });
  } catch (cause) {
    await server?.stop();
    throw await notStarted(launch, cause);
  }
  server.unref();
  const url = `redis://${LOOPBACK}:${launch.port}`;
  return { url, pid: server.pid, port: launch.port, exited: server.exited, stop: server.stop };
}

async function notStarted({ dir, port }: RedisLaunch, cause: unknown): Promise<SignalboxError> {
  const log = join(dir, LOG_FILE);
  const printed = await readFile(log, 'utf8').catch(() => '');
  const lastLines = printed.trim().split('\n').slice(-5).join('\n');
  return new SignalboxError('REDIS_UNREACHABLE', `A private Redis did not start on port ${port}.`, {
    next: `Read ${log} for the reason, or set REDIS_URL to a Redis of your own.`,
    cause,
    details: { port, lastLines },
  });
}

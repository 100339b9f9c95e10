/** One private Redis process, native or in a container: its command line, its start and its certain end. */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LOOPBACK } from './free-port.ts';
import { guardAgainstParentDeath } from './parent-guard.ts';
import { REDIS_IMAGE, type RedisProgram } from './redis-program.ts';

/** Time for an orderly shutdown, in which Redis flushes its AOF, before it is killed. */
const STOP_TIMEOUT_MS = 10_000;

/** What Redis prints goes here, in its data folder; it starts anew with each server. */
export const LOG_FILE = 'redis.log';

/** How a private Redis is to run. */
export interface RedisLaunch {
  readonly program: RedisProgram;
  /** Absolute path of an existing folder. */
  readonly dir: string;
  readonly port: number;
  readonly aof: boolean;
}

/** A Redis process that was started and may or may not answer yet. */
export interface RedisProcess {
  /** The server's process id; with Docker, that of the client that is attached to the container. */
  readonly pid: number;
  /** Settles when the process has ended, for whatever reason. */
  readonly exited: Promise<void>;
  /** Lets this process end although Redis runs: the parent guard then stops Redis. */
  readonly unref: () => void;
  /** SIGTERM, then SIGKILL; returns when the process is gone. May be called more than once. */
  readonly stop: () => Promise<void>;
}

/**
 * Starts Redis in a session of its own, so that Ctrl-C reaches it only through {@link RedisProcess.stop}, after those
 * that use it have put their house in order.
 *
 * @throws the system's error when the program cannot be started.
 */
export async function launchRedis(launch: RedisLaunch): Promise<RedisProcess> {
  const { command, args, end } = commandLine(launch);
  const log = await open(join(launch.dir, LOG_FILE), 'w', 0o600);
  try {
    const child = spawn(command, args, { cwd: launch.dir, stdio: ['ignore', log.fd, log.fd], detached: true });
    const exited = new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
    });
    await once(child, 'spawn');
    return supervise(child, exited, end);
  } finally {
    await log.close();
  }
}

function supervise(child: ChildProcess, exited: Promise<void>, end: EndCommand): RedisProcess {
  const pid = child.pid as number;
  const guard = guardAgainstParentDeath(end(pid));
  const gone = exited.then(() => guard.dismiss());
  let stopping: Promise<void> | undefined;
  return {
    pid,
    exited: gone,
    unref: () => child.unref(),
    stop: () => {
      child.ref();
      stopping ??= terminate(child, gone, end);
      return stopping;
    },
  };
}

async function terminate(child: ChildProcess, gone: Promise<void>, end: EndCommand): Promise<void> {
  child.kill('SIGTERM');
  const patience = new AbortController();
  const late = delay(STOP_TIMEOUT_MS, 'late', { signal: patience.signal }).catch(() => undefined);
  if ((await Promise.race([gone, late])) === 'late') await kill(child, end);
  patience.abort();
  await gone;
}

/** A killed Docker client leaves its container running, so the container is removed first. */
async function kill(child: ChildProcess, end: EndCommand): Promise<void> {
  const [command, ...args] = end(child.pid as number);
  if (command === 'docker') await once(spawn(command, args, { stdio: 'ignore' }), 'exit').catch(() => undefined);
  child.kill('SIGKILL');
}

/** The command (argv) that ends a server whose parent is no longer there to do it. */
type EndCommand = (pid: number) => readonly [string, ...string[]];

interface CommandLine {
  readonly command: string;
  readonly args: readonly string[];
  readonly end: EndCommand;
}

function commandLine(launch: RedisLaunch): CommandLine {
  if (launch.program.kind === 'docker') return dockerCommandLine(launch);
  const place = ['--bind', LOOPBACK, '--port', String(launch.port), '--dir', launch.dir];
  return {
    command: launch.program.command,
    args: [...place, ...settings(launch.aof)],
    end: (pid) => ['kill', '-TERM', String(pid)],
  };
}

function dockerCommandLine({ dir, port, aof }: RedisLaunch): CommandLine {
  const name = `signalbox-redis-${randomUUID()}`;
  const user = process.getuid === undefined ? [] : ['--user', `${process.getuid()}:${process.getgid?.()}`];
  const publish = ['--publish', `${LOOPBACK}:${port}:6379`, '--volume', `${dir}:/data`];
  // Inside its container Redis must listen on every interface; only the loopback port is published.
  const server = ['redis-server', '--bind', '0.0.0.0', '--protected-mode', 'no', ...settings(aof)];
  return {
    command: 'docker',
    args: ['run', '--rm', '--name', name, ...user, ...publish, REDIS_IMAGE, ...server],
    end: () => ['docker', 'rm', '--force', name],
  };
}

/** Snapshots are off: the AOF is the one copy of the data, and without it nothing is to be kept. */
function settings(aof: boolean): readonly string[] {
  return [
    ...['--appendonly', aof ? 'yes' : 'no', '--appendfsync', 'everysec'],
    ...['--maxmemory-policy', 'noeviction', '--save', '', '--daemonize', 'no'],
  ];
}

import { setTimeout as delay } from 'node:timers/promises';
import { findCgroups, removeDeadCgroups } from './cgroup.ts';
import { findCommand, findWall, walledIn, works } from './isolation.ts';
import { Pipes } from './pipes.ts';
import type { Answer, Isolation, NumberedRequest } from './protocol.ts';
import { RunTable } from './run-table.ts';

/** What a terminal sends to everything in it. The worker decides what they mean, and closes the channel if need be. */
const TERMINAL_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGPIPE'] as const;

/** How long a supervisor without a worker waits for the confirmed death of its runs. */
const PATIENCE_MS = 10_000;

/**
 * The supervisor's life, in the process that `startSupervisor` makes: finds out how steps can be walled in, says so,
 * serves its worker until the channel closes (because the worker asked, or died, however), kills all runs and ends.
 * `path` is where the programs that it needs itself are looked for.
 */
export async function superviseUntilDisconnected(atMost: Isolation['level'], path: string): Promise<void> {
  const send = (answer: Answer): void => {
    // Nobody is left to be told if this fails: the channel's end is handled below.
    if (process.connected) process.send?.(answer, undefined, undefined, () => {});
  };
  for (const signal of TERMINAL_SIGNALS) process.on(signal, () => {});
  process.stderr.on('error', () => {});
  const disconnected = new Promise<void>((resolve) => {
    process.once('disconnect', resolve);
  });

  const mkfifo = findCommand('mkfifo', path);
  if (mkfifo === undefined) throw new Error('the program mkfifo, which makes the pipes of steps, is not in PATH');
  const wall = await findWall(path, atMost);
  await removeDeadCgroups();
  const cgroups = await findCgroups(({ entrances }) => works(walledIn(wall, entrances, ['/bin/sh', '-c', ':'])));
  const runs = new RunTable({ wall, cgroups, pipes: new Pipes(mkfifo) }, send);
  process.on('message', (request) => void runs.handle(request as NumberedRequest));
  const { level, detail } = wall;
  const cgroup = cgroups === undefined ? null : { version: cgroups.version, controllers: cgroups.controllers };
  send({ say: 'ready', isolation: { level, detail, cgroup } });

  if (process.connected) await disconnected;
  // What cannot be killed now (a process in an uninterruptible wait) has its kill pending: nobody is left to be told.
  await Promise.race([runs.stop('the worker of the run has gone'), delay(PATIENCE_MS)]);
}

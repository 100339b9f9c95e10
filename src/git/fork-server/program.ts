/** The fork server's own process: starts git as it is told, and tells how each ended. */

import { type GitProcess, startGit } from '../git-process.ts';
import type { Answer, Request } from './messages.ts';

/** What a terminal sends to everything in it, and what is meant for the worker. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/**
 * Serves until its worker has gone, however. What runs then goes on without it, as it would if the worker had started it
 * itself: whoever comes next to a mirror ends what is left there.
 */
export async function serveUntilDisconnected(): Promise<void> {
  for (const signal of SIGNALS) process.on(signal, () => {});
  const disconnected = new Promise<void>((resolve) => {
    process.once('disconnect', resolve);
  });
  const running = new Map<number, GitProcess>();
  // Nobody is left to be told if this fails.
  const say = (answer: Answer): void =>
    void (process.connected && process.send?.(answer, undefined, undefined, () => {}));
  process.on('message', (request: Request) => {
    if (request.do === 'start') void run(request);
    else {
      running.get(request.id)?.end(request.signal);
      say({ say: 'ending', id: request.id });
    }
  });
  const run = async ({ id, start }: Extract<Request, { do: 'start' }>): Promise<void> => {
    const git = startGit(start);
    running.set(id, git);
    say({ say: 'running', id, pid: await git.pid });
    const exit = await git.ended;
    running.delete(id);
    say({ say: 'ended', id, exit });
  };
  if (process.connected) await disconnected;
}

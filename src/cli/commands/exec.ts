/** `signalbox exec`: a command of the user's own under claims. */

import { lookUp, exec as run } from '../../client/exec/exec.ts';
import type { HoldClaims } from '../../client/hold-claims.ts';
import type { Obstacle } from '../../client/obstacle.ts';
import { processSources } from '../../config/process.ts';
import { collect, command } from '../command.ts';
import { usage } from '../errors.ts';
import { execInRun } from '../exec/in-run.ts';
import { Relay } from '../exec/relay.ts';
import { duration } from '../values.ts';

interface ExecOptions {
  readonly repo?: string;
  readonly branch?: string;
  readonly write?: readonly string[];
  readonly read?: readonly string[];
  readonly resource?: readonly string[];
  /** False with `--no-wait`. */
  readonly wait: boolean;
  readonly waitTimeout?: number;
}

/** Runs a command while claims are held. */
export const exec = command<ExecOptions>({
  name: 'exec <command...>',
  summary: 'run a command of your own while claims are held, as flock(1) does',
  details: `It waits in the same line as tasks, runs the command, gives the claims back, and ends with the command's
exit code: 128 + n when signal n ended it. stdin, stdout and stderr are the command's, with --json too. Put
-- before the command; only one program is run, so what needs a shell goes into sh -c.

The command is stopped (SIGTERM, then SIGKILL to all that it started) when the claims are lost, and killed when
signalbox itself is killed or stopped. Signals are passed on to it; while it waits they end the waiting. What
it leaves running in the background holds no claims. Of a --resource it finds the number of its slot in
SIGNALBOX_SLOT_NAME. Inside a step of a task the paths become claims of that task, as with claim add.

Exit codes of its own: 1 the claims were lost, 2 typed wrongly or no such command, 3 a conflict with
--no-wait or after --wait-timeout, 5 Redis cannot be reached.`,
  json: '{error} if it fails itself; else nothing is added to what the command prints',
  examples: [
    "signalbox exec --write 'src/**' -- npm run format",
    'signalbox exec --branch main --no-wait -- git push origin main',
    "signalbox exec --read 'db/**' --wait-timeout 5m -- sh -c 'make dump > dump.sql'",
  ],
  options: (made) =>
    made
      .option('--repo <repo>', 'the repository: an address or a path (default: the current folder)')
      .option('--write <path>', 'a path or glob nobody else may touch meanwhile; repeatable', collect)
      .option('--read <path>', 'a path or glob nobody may write meanwhile; repeatable', collect)
      .option('--branch <name>', 'a branch nobody else may work on meanwhile')
      .option('--resource <name>', 'one of a named, counted thing; repeatable', collect)
      .option('--no-wait', 'end with 3 if something is held, instead of waiting')
      .option('--wait-timeout <duration>', 'end with 3 if it is still held after this', duration),
  run: async ({ args, options, out, connect }) => {
    const sources = processSources();
    const claims = claimsOf(options);
    const found = lookUp(args, sources);
    const { SIGNALBOX_SOCKET: socket } = sources.env;
    if (socket !== undefined)
      return await execInRun(socket, { claims, mayWait: options.wait }, { ...found, env: sources.env });
    await using box = await connect();
    using relay = new Relay();
    const { wait, waitTimeout } = options;
    try {
      return await run(box, {
        claims,
        hold: {
          wait,
          waitTimeoutMs: waitTimeout,
          signal: relay.interrupted,
          onBlocked: (obstacle) => out.note(out.paintNote('dim', waitingText(obstacle))),
        },
        command: found,
        env: sources.env,
        isInTerminal: [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY),
        relayTo: relay.to,
      });
    } catch (error) {
      if (relay.interrupted.aborted && error === relay.interrupted.reason) return relay.exitCode;
      throw error;
    }
  },
});

function claimsOf({ repo = '.', branch, write, read, resource, wait, waitTimeout }: ExecOptions): HoldClaims {
  if ([branch, write, read, resource].every((given) => given === undefined)) {
    throw usage(
      'There is nothing to claim.',
      'Give `--write`, `--read`, `--branch` or `--resource`; `--write .` is the whole repository.',
    );
  }
  if (!wait && waitTimeout !== undefined)
    throw usage('--no-wait and --wait-timeout cannot be given together.', 'Leave one out.');
  return { repo, branch, write, read, resources: resource };
}

function waitingText({ resource, holder }: Obstacle): string {
  const by = holder === '' ? '' : `, held by ${holder}`;
  return `Waiting for ${resource}${by}. See \`signalbox claims\`.`;
}

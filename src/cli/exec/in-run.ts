/**
 * `exec` inside a step: whoever waits while holding can wait in a circle, so what it claims becomes growth of the run
 * that the step belongs to, over the run's socket. It stays claimed until the run ends.
 */

import type { FoundCommand } from '../../client/exec/exec.ts';
import { Foreground } from '../../client/exec/foreground.ts';
import type { HoldClaims } from '../../client/hold-claims.ts';
import { RUN_MARKER } from '../../runner/supervisor/process-tree.ts';
import { askForMore } from '../claim/ask.ts';
import { usage } from '../errors.ts';

/** Claims the paths for the run, then runs the command; answers its exit code. The run's supervisor stops it. */
export async function execInRun(
  socket: string,
  { claims, mayWait }: { readonly claims: HoldClaims; readonly mayWait: boolean },
  { file, argv, env }: FoundCommand & { readonly env: Readonly<Record<string, string | undefined>> },
): Promise<number> {
  const { branch, write = [], read = [], resources = [] } = claims;
  if (branch !== undefined || resources.length > 0 || !mayWait) {
    throw usage(
      'Inside a step `exec` takes paths only, and waits for them.',
      'Leave out `--branch`, `--resource` and `--no-wait`, or name them in the `claims` of the task.',
    );
  }
  await askForMore(socket, { write, read });
  const command = await Foreground.start({ file, argv, env, runId: env[RUN_MARKER] ?? '', isInTerminal: true });
  return await command.ended;
}

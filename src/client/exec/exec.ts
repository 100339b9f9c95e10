/** Runs a command while claims are held: `signalbox exec`, the claims' flock(1). */

import { SignalboxError } from '../../errors.ts';
import { findCommand } from '../../runner/supervisor/isolation.ts';
import { slotVariable } from '../../task/slots.ts';
import type { HoldOptions } from '../hold.ts';
import type { HoldClaims } from '../hold-claims.ts';
import type { Signalbox } from '../signalbox.ts';
import { Foreground, notRunnable } from './foreground.ts';
import { startGuard } from './guard.ts';

/** What to run under which claims. */
export interface ExecRequest {
  readonly claims: HoldClaims;
  readonly hold: HoldOptions;
  readonly command: FoundCommand;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether a terminal's keys reach the command by themselves. */
  readonly isInTerminal: boolean;
  /** Takes the signals of this process from the command's start to its end. */
  readonly relayTo: (forward: ((signal: NodeJS.Signals) => void) | undefined) => void;
}

/** A command whose file is known. */
export interface FoundCommand {
  readonly file: string;
  readonly argv: readonly string[];
}

/** The most that a command gets to end in good order once the claim is lost. */
const LONGEST_GRACE_MS = 2_000;

/** Looks a command up as a shell does. Throws INVALID with the field `command` when there is no such program. */
export function lookUp(
  argv: readonly string[],
  { env, cwd }: { readonly env: ExecRequest['env']; readonly cwd: string },
): FoundCommand {
  const [name = ''] = argv;
  const file = findCommand(name, env['PATH'] ?? '', cwd);
  if (file === undefined) throw notRunnable(name, 'there is no such program');
  return { file, argv };
}

/**
 * Runs the command under the claims; answers its exit code. Throws as `hold` does; at LEASE_LOST the command and all
 * that it started have been ended.
 */
export async function exec(box: Signalbox, request: ExecRequest): Promise<number> {
  const grace = Math.min(box.config.marginMs, LONGEST_GRACE_MS);
  let extend: (leftMs: number) => void = () => {};
  const hold = { ...request.hold, onRenewed: (leftMs: number) => extend(leftMs) };
  try {
    return await box.hold(
      request.claims,
      async ({ signal, holder, slots, leftMs }) => {
        // The guard kills when the command should have been dead for the length of the grace.
        const path = request.env['PATH'] ?? '';
        const guard = await startGuard({ runId: holder, path, deadlineMs: leftMs() + grace });
        extend = (ms) => guard.extend(ms + grace);
        try {
          request.hold.signal?.throwIfAborted();
          signal.throwIfAborted();
          return await runUntilLost(request, { runId: holder, slots, lost: signal, grace, watch: guard.watch });
        } finally {
          request.relayTo(undefined);
          await guard.dismiss();
        }
      },
      hold,
    );
  } catch (error) {
    throw error instanceof SignalboxError && error.code === 'LEASE_LOST' ? lostError(error, request.command) : error;
  }
}

interface Under {
  readonly runId: string;
  readonly slots: Readonly<Record<string, number>>;
  readonly lost: AbortSignal;
  readonly grace: number;
  readonly watch: (pid: number | undefined) => void;
}

async function runUntilLost(request: ExecRequest, { runId, slots, lost, grace, watch }: Under): Promise<number> {
  const { command, isInTerminal, relayTo } = request;
  const numbers = Object.entries(slots).map(([resource, slot]) => [slotVariable(resource), String(slot)] as const);
  const env = { ...request.env, ...Object.fromEntries(numbers) };
  const foreground = await Foreground.start({ ...command, env, runId, isInTerminal });
  watch(foreground.pid);
  relayTo((signal) => foreground.forward(signal));
  let stopped: Promise<void> | undefined;
  const stop = (): void => {
    stopped = foreground.stop(grace);
  };
  if (lost.aborted) stop();
  lost.addEventListener('abort', stop, { once: true });
  const code = await foreground.ended;
  await stopped;
  return code;
}

function lostError(error: SignalboxError, { argv }: FoundCommand): SignalboxError {
  return new SignalboxError('LEASE_LOST', `\`${argv[0]}\` was stopped. ${error.message}`, {
    next: 'Others may work on the same things by now: look at what it has done before you run it again.',
    cause: error,
  });
}

/** `signalbox hook`: a coding agent asks before it writes a file. */

import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { loadConfig } from '../../config/config.ts';
import { processSources } from '../../config/process.ts';
import type { SignalboxError } from '../../errors.ts';
import { askForMore } from '../claim/ask.ts';
import { type Context, command } from '../command.ts';
import { readError, usage } from '../errors.ts';
import { userGit } from '../git.ts';
import { agentPid } from '../hook/agent-process.ts';
import { type HookCall, readHookCall } from '../hook/call.ts';
import { claimForSession, releaseSession } from '../hook/claim.ts';
import { byCheckout } from '../hook/files.ts';
import { duration, wholeNumber } from '../values.ts';

interface HookOptions {
  readonly session?: string;
  readonly release?: boolean;
  readonly agentPid?: number;
  readonly idle: number;
  readonly failClosed?: boolean;
}

/** What is said to the agent. */
type Decision =
  | { readonly decision: 'allow'; readonly reason: null }
  | { readonly decision: 'warn' | 'deny'; readonly reason: string };

/** What agents take for "do not": their hooks' contract, not one of the exit codes of other commands. */
const DENIED = 2;

/** Claims the file that an agent is going to write. */
export const hook = command<HookOptions>({
  name: 'hook [paths...]',
  summary: 'let a coding agent ask before it writes a file',
  details: `To be called by an agent before it uses a tool, with the hook's JSON on stdin, as Claude Code and Gemini CLI send it
(see docs/agents.md). The file is claimed for the agent's session, so that no task and no other session writes it
meanwhile. If others hold it, it says who and since when on stderr and exits with 2, which these agents take for a
refusal. Inside a step of a task the claim becomes one of that task, and waits its turn.

Outside, a process in the background holds what a session has claimed. It ends, and gives all of it back, at the
session's end (call the hook for it: SessionEnd, or Stop for every turn), when the agent's process is gone, and when
it was not asked for as long as --idle. Only a real conflict is refused. When it cannot be known, as Redis is away
or something is configured wrongly, the write is allowed with a warning, or refused with --fail-closed.

For other agents: name the paths, and the session with --session; --release ends the session.`,
  json: '{decision,reason}, decision being allow, warn or deny',
  examples: [
    'signalbox hook < pre-tool-use.json',
    'signalbox hook --session "$SESSION" src/auth/login.ts',
    'signalbox hook --session "$SESSION" --release',
  ],
  options: (made) =>
    made
      .option('--session <id>', 'whose claims these are, with paths or --release')
      .option('--release', 'give back all that the session holds')
      .option('--agent-pid <pid>', 'the process whose end ends the session (default: found)', wholeNumber(2))
      .option('--idle <duration>', 'give all back when it was not asked for so long', duration, 30 * 60_000)
      .option('--fail-closed', 'refuse also when it cannot be known'),
  run: async (context) => {
    const { out } = context;
    const decided = await decide(context);
    if (out.json) out.data(decided, () => '');
    else if (decided.decision === 'warn') out.raw(`${JSON.stringify({ systemMessage: decided.reason })}\n`);
    else if (decided.decision === 'deny') out.note(decided.reason);
    return decided.decision === 'deny' ? DENIED : undefined;
  },
});

async function decide(context: Context<HookOptions>): Promise<Decision> {
  try {
    return await act(context, await callOf(context));
  } catch (error) {
    const known = readError(error);
    // No agent types a command wrongly; a person is told as by any other command.
    if (known.code === 'USAGE') throw known;
    if (known.code === 'CONFLICT') return { decision: 'deny', reason: refusal(known) };
    const reason = `Signalbox could not tell whether others hold this file: ${known.message} ${known.next}`;
    return { decision: context.options.failClosed === true ? 'deny' : 'warn', reason };
  }
}

async function callOf({ args, options }: Context<HookOptions>): Promise<HookCall> {
  const { session, release } = options;
  if (args.length === 0 && release !== true) {
    if (process.stdin.isTTY)
      throw usage(
        'Nothing says which file is to be written.',
        'Give the JSON of a hook on stdin, or `--session ID PATH`.',
      );
    return readHookCall(await text(process.stdin));
  }
  if (session === undefined || session === '')
    throw usage('It is not said whose claims these are.', 'Give the session: `signalbox hook --session ID PATH`.');
  if (release === true) return { kind: 'release', session };
  return { kind: 'claim', session, cwd: undefined, files: args };
}

const ALLOW: Decision = { decision: 'allow', reason: null };

async function act({ flags, options }: Context<HookOptions>, call: HookCall): Promise<Decision> {
  if (call.kind === 'nothing') return ALLOW;
  const sources = processSources();
  const { SIGNALBOX_SOCKET: socket, SIGNALBOX_WORKSPACE: workspace } = sources.env;
  if (socket !== undefined && socket !== '') {
    if (call.kind === 'claim') await claimForRun(socket, { ...call, root: workspace ?? sources.cwd });
    return ALLOW;
  }
  const config = loadConfig({ ...sources, flags });
  if (call.kind === 'release') {
    await releaseSession({ session: call.session, config });
    return ALLOW;
  }
  const request = {
    session: call.session,
    config,
    flags,
    sources,
    agentPid: options.agentPid ?? agentPid(),
    idleMs: options.idle,
  };
  let wasLost = false;
  for (const files of await byCheckout(userGit(), call.files, resolve(sources.cwd, call.cwd ?? '.'))) {
    wasLost = (await claimForSession(request, files)).wasLost === true || wasLost;
  }
  return wasLost ? { decision: 'warn', reason: LOST } : ALLOW;
}

const LOST =
  'Signalbox had lost the claims of this session for a while and has taken them again: look whether others have changed these files.';

interface RunCall {
  readonly files: readonly string[];
  readonly cwd: string | undefined;
  /** The run's workspace. */
  readonly root: string;
}

/** The run knows whose turn it is; what lies outside its workspace is nobody's. */
async function claimForRun(socket: string, { files, cwd, root }: RunCall): Promise<void> {
  const workspace = await realpath(root);
  for (const { checkout, paths } of await byCheckout(userGit(), files, resolve(root, cwd ?? '.'))) {
    if (checkout === workspace) await askForMore(socket, { write: paths, read: [] });
  }
}

function refusal({ message }: SignalboxError): string {
  return `${message} Do not write it now: work on something else and try again later, or tell the user. \`signalbox claims\` shows who has what.`;
}

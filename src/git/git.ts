/**
 * The one place that starts git: argument arrays only, an environment of our own, no configuration but ours.
 *
 * Configuration travels in `GIT_CONFIG_COUNT` variables, which rank as high as `-c` and do not show in the process
 * list. A repository is always named by `gitDir`: nothing is ever discovered from the working directory, where a
 * task may have planted something.
 */

import { SignalboxError } from '../errors.ts';
import { type ConfigEntry, gitEnvs, type UserEnv } from './git-env.ts';
import { gitError, scrub, secretsOf } from './git-errors.ts';
import { type GitExit, type GitProcess, type StartGit, startGit } from './git-process.ts';

/** What to run git with, beside its arguments. */
export interface GitOptions {
  /** The repository. Left out for commands that need none (`init`, `ls-remote`, `clone`). */
  readonly gitDir?: string;
  /** Working directory of the process. Default `/`. */
  readonly cwd?: string;
  /** Added to the environment, which is otherwise ours alone. */
  readonly env?: Readonly<Record<string, string>>;
  /** Configuration for this command alone. */
  readonly config?: readonly ConfigEntry[];
  readonly input?: string;
  /** Read standard input from this file. */
  readonly inputFile?: string;
  /** Ends the process and all that it started, but see `endsAlone`. */
  readonly signal?: AbortSignal | undefined;
  /**
   * An abort ends git alone, by force. For a push to a folder: there the remote's own process is among those that git has started,
   * and must end what it has begun, since it moves several refs one after the other.
   */
  readonly endsAlone?: boolean;
  /** Default one hour: a net under a process that hangs, not a measure of its work. */
  readonly timeoutMs?: number;
  /** Talks to a remote: the user's credential, http, url and ssh settings are taken over. */
  readonly remote?: boolean;
  /** Other exit codes than 0 that are an answer, not an error. */
  readonly allow?: readonly number[];
  /** Write standard output to this file instead of returning it. */
  readonly outputFile?: string;
}

/** What git answered. */
export interface GitResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs git once. Throws `REMOTE_UNREACHABLE` when a remote cannot be reached, does not exist or lets nobody in, and
 * `GIT` for everything else; what it says is scrubbed of credentials. An abort rejects with the signal's reason.
 */
export type Git = (args: readonly string[], options?: GitOptions) => Promise<GitResult>;

const TIMEOUT_MS = 3_600_000;
const KILL_AFTER_MS = 2_000;

/**
 * Makes the function that runs git. `env` is the user's environment, of which only named parts are passed on. `start`
 * starts the processes, by default as children of this one.
 */
export function createGit({ env, start = startGit }: { env: UserEnv; start?: StartGit }): Git {
  const envs = gitEnvs(env);
  let settings: Promise<readonly ConfigEntry[]> | undefined;
  const userSettings = () => {
    settings ??= readUserSettings(env, start).catch((error: unknown) => {
      settings = undefined;
      throw error;
    });
    return settings;
  };
  return async (args, options = {}) => {
    const user = options.remote ? await userSettings() : [];
    const own = options.config ?? [];
    const base = options.remote ? envs.remote(user, own) : envs.local(own);
    const gitDir = options.gitDir ? { GIT_DIR: options.gitDir } : {};
    return runGit(args, options, { start, env: { ...base, ...options.env, ...gitDir } });
  };
}

/** Of the user's own configuration: what says who they are to a remote and how to get there. */
async function readUserSettings(env: UserEnv, start: StartGit): Promise<readonly ConfigEntry[]> {
  const pattern = '^(credential|http|url|user)\\.|^core\\.sshcommand$';
  const args = ['config', '--includes', '-z', '--get-regexp', pattern];
  const variables = Object.entries(env).filter(([, value]) => value !== undefined) as [string, string][];
  const kept = Object.fromEntries(variables.filter(([name]) => !/^GIT_(DIR|WORK_TREE|COMMON_DIR|TRACE)/.test(name)));
  const { stdout } = await runGit(args, { allow: [1] }, { start, env: { ...kept, GIT_CEILING_DIRECTORIES: '/' } });
  return stdout
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => {
      const end = line.indexOf('\n');
      return end < 0 ? [line, 'true'] : [line.slice(0, end), line.slice(end + 1)];
    });
}

/** The name and address that the user's git puts on commits, if they set any. */
export async function readUserIdentity(git: Git): Promise<{ name: string; email: string } | undefined> {
  const read = async (key: string) =>
    (await git(['config', '--get', key], { remote: true, allow: [1] })).stdout.replace(/\n$/, '');
  const [name, email] = await Promise.all([read('user.name'), read('user.email')]);
  return name !== '' && email !== '' ? { name, email } : undefined;
}

async function runGit(
  args: readonly string[],
  options: GitOptions,
  { start, env }: { start: StartGit; env: Record<string, string> },
): Promise<GitResult> {
  const { signal, cwd = '/', input, inputFile, outputFile, endsAlone } = options;
  signal?.throwIfAborted();
  const child = start({ args, cwd, env, input, inputFile, outputFile, endsAlone });
  const ending = endOn(signal, options.timeoutMs ?? TIMEOUT_MS, child.end);
  const result = await child.ended.finally(ending.stop);
  signal?.throwIfAborted();
  const secrets = secretsOf(env);
  const { exitCode, stdout, failure } = result;
  const answer = { exitCode, stdout, stderr: scrub(result.stderr, secrets) };
  if (!result.ran) throw notStarted(failure);
  if (failure === undefined && (exitCode === 0 || options.allow?.includes(exitCode))) return answer;
  const remote = options.remote === true;
  throw gitError({ args, answer, failure: failure?.message, secrets, remote, timedOut: ending.timedOut() });
}

/** Ends git on abort or timeout: asked first, so that it takes its lock files away, then forced. */
function endOn(signal: AbortSignal | undefined, timeoutMs: number, endGit: GitProcess['end']) {
  let late = false;
  let force: NodeJS.Timeout | undefined;
  const end = () => {
    endGit('SIGTERM');
    force ??= setTimeout(() => endGit('SIGKILL'), KILL_AFTER_MS);
  };
  const timer = setTimeout(() => {
    late = true;
    end();
  }, timeoutMs);
  signal?.addEventListener('abort', end, { once: true });
  const stop = () => {
    clearTimeout(timer);
    clearTimeout(force);
    signal?.removeEventListener('abort', end);
  };
  return { stop, timedOut: () => late };
}

function notStarted(failure: GitExit['failure']): SignalboxError {
  const isMissing = failure?.code === 'ENOENT';
  const why = isMissing ? 'there is no `git` in PATH, or its working directory is gone' : failure?.message;
  return new SignalboxError('GIT', `git could not be started: ${why}`, {
    next: isMissing
      ? 'Install git 2.38 or newer and make sure that it is in PATH.'
      : 'Try again; if it stays so, look whether this machine is out of memory or processes.',
    cause: failure,
  });
}

/**
 * The environment that a step sees: built from nothing, so that a worker's own variables (Redis, tokens, logins) reach
 * no step unless somebody named them.
 */

import { slotVariable } from '../../task/slots.ts';
import { DEFAULT_PATH } from './isolation.ts';

/** What a step may know of its run. */
export interface RunnerFacts {
  readonly taskId: string;
  readonly runnerId: string;
  readonly run: number;
  readonly workspace: string;
  readonly branch: string;
  /** Where `signalbox claim add` asks for more. */
  readonly socket?: string | undefined;
  /** The slot held of each named resource, by the resource's name. */
  readonly slots?: Readonly<Record<string, number>> | undefined;
}

/** What a step's environment is made of. */
export interface StepEnvInput {
  /** The worker's own environment; only names on the allow list are taken from it. */
  readonly base: Readonly<Record<string, string | undefined>>;
  /** Further names to take from it. */
  readonly allow?: readonly string[] | undefined;
  /** The task's `env`. */
  readonly taskEnv: Readonly<Record<string, string>>;
  /** The task's secrets, name to value. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly runner: RunnerFacts;
  /** A folder of this run alone. */
  readonly home: string;
  /** A folder of this run alone; default `home`/tmp, which the caller makes. */
  readonly tmp?: string | undefined;
}

const ALLOWED = ['PATH', 'LANG', 'LANGUAGE', 'TZ'];
const ALLOWED_PREFIX = 'LC_';
const OWN_PREFIX = 'SIGNALBOX_';

/**
 * For the commits that a step makes. git finds no login: no prompt, no system configuration (the user's is in another
 * HOME), and ssh, which looks for keys in the user's real home, is told to use none.
 */
const GIT = {
  GIT_AUTHOR_NAME: 'Signalbox',
  GIT_AUTHOR_EMAIL: 'signalbox@localhost',
  GIT_COMMITTER_NAME: 'Signalbox',
  GIT_COMMITTER_EMAIL: 'signalbox@localhost',
  GIT_TERMINAL_PROMPT: '0',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_SSH_COMMAND: 'ssh -F /dev/null -o BatchMode=yes -o IdentitiesOnly=yes -o IdentityFile=/dev/null',
};

/**
 * Later parts win: allowed names, a private HOME and TMPDIR, git's, the task's `env`, its secrets, and last the
 * `SIGNALBOX_*` variables of the run, which nobody else can set or add to.
 */
export function stepEnv({
  base,
  allow = [],
  taskEnv,
  secrets,
  runner,
  home,
  tmp,
}: StepEnvInput): Record<string, string> {
  const isAllowed = (name: string): boolean =>
    ALLOWED.includes(name) || name.startsWith(ALLOWED_PREFIX) || allow.includes(name);
  return {
    PATH: DEFAULT_PATH,
    ...pick(base, (name) => isAllowed(name) && isForeign(name)),
    HOME: home,
    TMPDIR: tmp ?? `${home}/tmp`,
    TERM: 'dumb',
    ...GIT,
    ...pick(taskEnv, isForeign),
    ...pick(secrets, isForeign),
    ...runnerVariables(runner),
  };
}

/** The variables of the contract (docs: inside a step). */
function runnerVariables({
  taskId,
  runnerId,
  run,
  workspace,
  branch,
  socket,
  slots = {},
}: RunnerFacts): Record<string, string> {
  const slotVariables = Object.entries(slots).map(
    ([resource, slot]) => [slotVariable(resource), String(slot)] as const,
  );
  return {
    SIGNALBOX_TASK_ID: taskId,
    SIGNALBOX_RUNNER_ID: runnerId,
    SIGNALBOX_RUN: String(run),
    SIGNALBOX_WORKSPACE: workspace,
    SIGNALBOX_BRANCH: branch,
    ...(socket === undefined ? {} : { SIGNALBOX_SOCKET: socket }),
    ...Object.fromEntries(slotVariables),
  };
}

function isForeign(name: string): boolean {
  return !name.startsWith(OWN_PREFIX);
}

function pick(env: StepEnvInput['base'], isWanted: (name: string) => boolean): Record<string, string> {
  const wanted = Object.entries(env).filter((entry): entry is [string, string] => {
    return entry[1] !== undefined && isWanted(entry[0]);
  });
  return Object.fromEntries(wanted);
}

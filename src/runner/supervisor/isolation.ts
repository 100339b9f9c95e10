/**
 * The wall around a step, and which of them this host allows.
 *
 * The best is a pid namespace of its own with a private /proc: nothing can leave it, the kernel kills all of it when
 * its first process dies, and the parent's environment cannot be seen from inside. It needs root, or leave to make user
 * namespaces. `setpriv --pdeathsig` and `unshare --kill-child` tie it to the supervisor's life. Else a step gets a
 * process group, and what leaves that is searched for (see process-tree.ts).
 */
import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Isolation } from './protocol.ts';

/** An isolation and the command line that brings it about. */
export interface Wall extends Pick<Isolation, 'level' | 'detail'> {
  /** Ties what comes after it to the life of the supervisor; empty where that cannot be done. */
  readonly tie: readonly string[];
  /** Put before a command and its arguments. */
  readonly prefix: readonly string[];
  /** Processes of the wall itself that stand beside the step's own. */
  readonly processes: number;
}

/** For those whose environment has none. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What the init of a namespace says on its stderr, which is not the step's, before and after the command. */
export const INIT_SAYS = { up: 'signalbox: up', down: 'signalbox: down' };

/**
 * The first words of a step. A supervisor that died before the step was tied to its life cannot end it any more: then
 * the step ends by itself. After that it goes into its control groups; whatever it starts is born there.
 */
const ENTER_SCRIPT = `test "$PPID" = "$0" || exit 1
while test "$1" != --; do echo 0 >"$1" || exit 1; shift; done
shift; exec "$@"`;

/** The whole command line of a step whose control groups are entered by these files. */
export function walledIn({ tie, prefix }: Wall, entrances: readonly string[], command: readonly string[]): string[] {
  const enter = ['/bin/sh', '-c', ENTER_SCRIPT, String(process.pid), ...entrances, '--'];
  return [...tie, ...enter, ...prefix, ...command];
}

/** Out of memory, the kernel should choose a step before a worker or Redis. Raising one's own score is allowed. */
const RAISE_OOM_SCORE = '{ echo 500 >/proc/self/oom_score_adj; } 2>/dev/null';

/**
 * The first process of a pid namespace. A command that were it could not be signalled from within and would have to
 * reap orphans. The shell does both, gives a signal as 128 + n and, when it was one, names it on its stderr.
 */
const INIT_SCRIPT = `${RAISE_OOM_SCORE}; echo '${INIT_SAYS.up}' >&2
(exec "$@" 2>&1); code=$?; echo '${INIT_SAYS.down}' >&2; exit $code`;

const GROUP_SCRIPT = `${RAISE_OOM_SCORE}; exec "$@"`;

/** Succeeds only as a member of a new pid namespace that sees a /proc of its own. */
const PROOF = 'read -r pid rest </proc/self/stat && test "$pid" = "$$" && test "$PPID" = 1';

/** An isolation in a few words, as the task's record and `doctor` show it: `pidns, cgroup v1 for memory and pids`. */
export function inForce({ level, cgroup }: Isolation): string {
  if (cgroup === null) return `${level}, no cgroup`;
  const { version, controllers } = cgroup;
  return `${level}, cgroup v${version} ${controllers.length === 0 ? 'without limits' : `for ${controllers.join(' and ')}`}`;
}

/** Finds the best wall that works here by trying it. `atMost: 'group'` leaves out namespaces. */
export async function findWall(path: string, atMost: Isolation['level'] = 'pidns'): Promise<Wall> {
  const setpriv = findCommand('setpriv', path);
  const tie = setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'KILL', '--'];
  if (atMost === 'pidns' && process.platform === 'linux') {
    const wall = await findNamespace(tie, findCommand('unshare', path));
    if (wall !== undefined) return wall;
  }
  const found = `by descent${process.platform === 'linux' ? ' and by a mark in its environment' : ' alone'}`;
  const wall: Wall = {
    level: 'group',
    detail: `process group; what leaves it is found ${found}`,
    tie,
    prefix: ['/bin/sh', '-c', GROUP_SCRIPT, 'sh'],
    processes: 0,
  };
  return tie.length > 0 && (await works(walledIn(wall, [], ['/bin/sh', '-c', ':']))) ? wall : { ...wall, tie: [] };
}

async function findNamespace(tie: readonly string[], unshare: string | undefined): Promise<Wall | undefined> {
  if (unshare === undefined || tie.length === 0) return undefined;
  const space = ['--pid', '--fork', '--kill-child', '--mount-proc', '--', '/bin/sh', '-c', INIT_SCRIPT, 'sh'];
  const candidates = [
    { detail: 'pid namespace with a private /proc', prefix: [unshare, ...space] },
    {
      detail: 'pid namespace with a private /proc, in a user namespace: sudo does not work in steps',
      prefix: [unshare, '--user', '--map-current-user', ...space],
    },
  ];
  for (const candidate of candidates) {
    const wall: Wall = { level: 'pidns', ...candidate, tie, processes: 2 };
    if (await works(walledIn(wall, [], ['/bin/sh', '-c', PROOF]))) return wall;
  }
  return undefined;
}

/** Whether a command line ends well. */
export async function works([file, ...args]: readonly string[]): Promise<boolean> {
  if (file === undefined) return false;
  return promisify(execFile)(file, args, { timeout: 5_000, killSignal: 'SIGKILL' }).then(
    () => true,
    () => false,
  );
}

/**
 * Where a command's file is: a name is looked for in `path`, as execvp(3) does, anything with a slash is taken from
 * `cwd`. `undefined` if there is no such file that may be executed.
 */
export function findCommand(name: string, path: string, cwd = '/'): string | undefined {
  if (name === '') return undefined;
  const places = name.includes('/')
    ? [resolve(cwd, name)]
    : path.split(delimiter).map((dir) => resolve(cwd, dir, name));
  return places.find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

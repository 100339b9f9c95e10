/**
 * The control group of one step: what is born in it stays in it, whatever its parent, session or environment, and the
 * kernel holds all of it together to a limit on memory and on processes. Where none can be made, the tree of processes
 * is searched and sampled instead (see process-tree.ts and limit-watch.ts).
 *
 * A group's name says whose it is: a supervisor that is killed leaves its groups behind, and whoever comes by next kills
 * what is in them and takes them away.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { liveness, ownIdentity } from '../../git/process-identity.ts';
import { type CgroupHome, type Controller, cgroupHomes } from './cgroup-homes.ts';
import { signalAll } from './process-tree.ts';

/** What a group is to limit; a limit whose controller is not there is for others to keep. */
export interface CgroupLimits {
  readonly memoryBytes?: number;
  /** Processes and threads. */
  readonly processes?: number;
}

/** Makes the groups of one supervisor's steps. */
export interface Cgroups {
  readonly version: 1 | 2;
  /** What they can limit. */
  readonly controllers: readonly Controller[];
  /** Makes one for a step of this run. Throws what the system says. */
  make(runId: string, limits: CgroupLimits): Cgroup;
}

const PREFIX = 'signalbox-';
const PROCS = 'cgroup.procs';
const PAUSE_MS = 10;
/** Whoever asks for much at once is refused before the limit is reached to the byte. */
const FULL = 0.9;
/** What is killed needs a moment to be dead, longer on a busy machine, and its group stays until then. */
const REMOVE_MS = 5_000;

/** The groups that can be made here, proven by making one; `enter` tells whether a process can be put into it. */
export async function findCgroups(enter: (group: Cgroup) => Promise<boolean>): Promise<Cgroups | undefined> {
  const homes = ownHomes().map(withControllers);
  const [first] = homes;
  if (first === undefined) return undefined;
  const name = await ownName();
  let made = 0;
  const cgroups: Cgroups = {
    version: first.version,
    controllers: homes.flatMap(({ controllers }) => controllers).sort(),
    make: (runId, limits) => Cgroup.make(homes, `${name}-${++made}.${runId}`, limits),
  };
  try {
    const trial = cgroups.make('trial', {});
    const entered = await enter(trial);
    await trial.remove();
    return entered ? cgroups : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Kills what is in the groups of dead supervisors on this host, and of runs that are over whatever their supervisor does,
 * and takes these groups away.
 */
export async function removeDeadCgroups(runIds: readonly string[] = []): Promise<void> {
  for (const { dir } of ownHomes()) {
    const names = foldersIn(dir).filter((name) => name.startsWith(PREFIX));
    for (const name of names) {
      const isOver = runIds.some((runId) => name.endsWith(`.${runId}`));
      if (isOver || (await isDead(name))) await new Cgroup([join(dir, name)]).remove();
    }
  }
}

/** See above. In v1 it is a group for each controller. */
export class Cgroup {
  readonly #dirs: readonly string[];

  constructor(dirs: readonly string[]) {
    this.#dirs = dirs;
  }

  /** Makes it. Throws what the system says. */
  static make(homes: readonly CgroupHome[], name: string, limits: CgroupLimits): Cgroup {
    const group = new Cgroup(homes.map(({ dir }) => join(dir, name)));
    for (const dir of group.#dirs) mkdirSync(dir);
    for (const [i, { version, controllers }] of homes.entries()) {
      const dir = group.#dirs[i] ?? '';
      for (const [file, value] of limitFiles(version, limits)) {
        const isOurs = controllers.some((controller) => file.startsWith(`${controller}.`));
        if (isOurs && existsSync(join(dir, file))) writeFileSync(join(dir, file), value);
      }
    }
    return group;
  }

  /** A process that writes `0` to each of these is in the group. */
  get entrances(): string[] {
    return this.#dirs.map((dir) => join(dir, PROCS));
  }

  /** The living processes in it. */
  pids(): number[] {
    return this.#all().flatMap((dir) => textOf(join(dir, PROCS)).split('\n').filter(Boolean).map(Number));
  }

  /** Which limit of this group the kernel has refused or killed something for. */
  exceeded(): Controller | undefined {
    for (const dir of this.#dirs) {
      const count = (file: string, name = ''): number =>
        Number(new RegExp(`^${name} ?(\\d+)$`, 'm').exec(textOf(join(dir, file)))?.[1] ?? 0);
      // Only if it was near its own limit too: memory may have run out elsewhere. (Its count of failures stays 0 when
      // it is the sum with swap that fails.)
      const isFull = ['memory', 'memory.memsw'].some((what) => {
        const most = count(`${what}.limit_in_bytes`);
        return most > 0 && count(`${what}.max_usage_in_bytes`) > FULL * most;
      });
      if (count('memory.oom_control', 'oom_kill') > 0 && isFull) return 'memory';
      if (count('memory.events', 'oom_kill') > 0 && count('memory.events', 'oom') > 0) return 'memory';
      if (count('pids.events', 'max') > 0) return 'pids';
    }
    return undefined;
  }

  /** Kills what is in it and takes it away. What cannot be is left for the next who comes by. */
  async remove(): Promise<void> {
    const giveUpAt = performance.now() + REMOVE_MS;
    for (;;) {
      signalAll(this.pids(), 'SIGKILL');
      if (this.#all().toReversed().every(isRemoved) || performance.now() > giveUpAt) return;
      await delay(PAUSE_MS);
    }
  }

  /** With those that the step itself has made in it, outer ones first. */
  #all(): string[] {
    const withInner = (dir: string): string[] => [dir, ...foldersIn(dir).flatMap((name) => withInner(join(dir, name)))];
    return this.#dirs.flatMap(withInner);
  }
}

/** The files that hold a limit, and what is written to them, in order: swap counts too, and is limited after memory. */
export function limitFiles(version: 1 | 2, { memoryBytes, processes }: CgroupLimits): [file: string, value: string][] {
  const pids: [string, string][] = processes === undefined ? [] : [['pids.max', String(processes)]];
  if (memoryBytes === undefined) return pids;
  const bytes = String(memoryBytes);
  const memory: [string, string][] =
    version === 1
      ? [
          ['memory.limit_in_bytes', bytes],
          ['memory.memsw.limit_in_bytes', bytes],
        ]
      : [
          ['memory.max', bytes],
          ['memory.swap.max', '0'],
          ['memory.oom.group', '1'],
        ];
  return [...memory, ...pids];
}

function ownHomes(): CgroupHome[] {
  return cgroupHomes(textOf('/proc/self/mountinfo'), textOf('/proc/self/cgroup'));
}

/** Turns on for v2 what can be; what is on already is good too. */
function withControllers(home: CgroupHome): CgroupHome {
  if (home.version === 1) return home;
  const file = join(home.dir, 'cgroup.subtree_control');
  for (const controller of ['memory', 'pids']) {
    try {
      writeFileSync(file, `+${controller}`);
    } catch {
      // There are processes in the group, or it is not ours to change.
    }
  }
  const on = textOf(file).trim().split(' ');
  return { ...home, controllers: (['memory', 'pids'] as const).filter((controller) => on.includes(controller)) };
}

/** Begins the names of this process's groups: its number, when it started, and the namespace its number is from. */
async function ownName(): Promise<string> {
  const { pid, started, place } = await ownIdentity();
  return `${PREFIX}${pid}-${started}-${namespaceOf(place)}`;
}

async function isDead(name: string): Promise<boolean> {
  const [, pid = '', started = '', namespace = ''] = name.split('-');
  const own = await ownIdentity();
  if (namespace !== namespaceOf(own.place)) return false;
  return (await liveness({ ...own, pid: Number(pid), started })) === 'dead';
}

function namespaceOf(place: string): string {
  return /\[(\d+)\]/.exec(place)?.[1] ?? '';
}

function isRemoved(dir: string): boolean {
  try {
    rmdirSync(dir);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
  return true;
}

function foldersIn(dir: string): string[] {
  try {
    return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch {
    return [];
  }
}

/** Empty for a file that cannot be read. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

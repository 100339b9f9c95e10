/** Who holds a lock on this host, told so that a later process can prove the holder dead. */

import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

/** One process, never mistaken for another that got its number later. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Host and, on Linux, pid namespace: numbers of another one say nothing here. */
  readonly place: string;
  /** Differs after a reboot; empty where the system does not tell. */
  readonly boot: string;
  /** When the process started, in the kernel's ticks; empty where the system does not tell. */
  readonly started: string;
}

/** Whether a process is alive, as far as this one can know. */
export type Liveness = 'alive' | 'dead' | 'unknown';

/** The identity of this process. */
export async function ownIdentity(): Promise<ProcessIdentity> {
  return await identityOf(process.pid);
}

/** The identity of a process that runs on this host. */
export async function identityOf(pid: number): Promise<ProcessIdentity> {
  const [place, boot, started] = await Promise.all([placeName(), bootId(), startTime(pid)]);
  return { pid, place, boot, started };
}

/** Whether the process that `other` names lives; `unknown` when it belongs to another container or host. */
export async function liveness(other: ProcessIdentity): Promise<Liveness> {
  const [place, boot] = await Promise.all([placeName(), bootId()]);
  if (other.place !== place) return 'unknown';
  if (other.boot !== boot) return 'dead';
  if (!isRunning(other.pid)) return 'dead';
  const started = await startTime(other.pid);
  return started === other.started ? 'alive' : 'dead';
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function placeName(): Promise<string> {
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '');
  return `${hostname()} ${namespace}`.trim();
}

async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim();
}

/**
 * Field 22 of `/proc/<pid>/stat`, counted after the command's closing parenthesis: a name may hold spaces. Empty for
 * one that is dead and whose parent has not asked for its end yet, maybe because it is stopped.
 */
async function startTime(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return 'ZX'.includes(state) ? '' : (fields[18] ?? '');
}

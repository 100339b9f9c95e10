/**
 * Finding and killing every process of a run, wherever it has put itself.
 *
 * A process belongs to a run if it is in the step's process group, descends from the step's first process, or carries
 * the run's id in its environment: that finds what changed its session and lost its parent. (A process that did both
 * and emptied its environment too is found only by a pid namespace or a control group.) On macOS other processes'
 * environments cannot be read; group and descent must do there.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** The variable that marks the processes of a run. */
export const RUN_MARKER = 'SIGNALBOX_RUNNER_ID';

/** What a run's processes are known by. */
export interface Tree {
  /** One run, or several at once: looking costs as much as the host has processes. */
  readonly runId: string | readonly string[];
  /** The step's first process: its own descent and process group count. */
  readonly pid?: number | undefined;
  /** The step's control group, which tells of all that was ever born in it. */
  readonly cgroup?: { pids(): number[] } | undefined;
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
}

const MARK = `\0${RUN_MARKER}=`;
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 50;

/** All living processes of the tree; zombies are dead. Synchronous: it reads a few bytes of each process. */
export function processesOf(tree: Tree): number[] {
  const all = livingProcesses();
  const members = new Set(all.filter(({ pid, group }) => pid === tree.pid || group === tree.pid).map(({ pid }) => pid));
  const grouped = new Set(tree.cgroup?.pids());
  for (const { pid } of all) if (grouped.has(pid)) members.add(pid);
  const runIds = new Set([tree.runId].flat());
  for (const { pid } of all) if (!members.has(pid) && runIds.has(markOf(pid))) members.add(pid);
  for (let before = -1; before !== members.size; ) {
    before = members.size;
    for (const { pid, parent } of all) if (members.has(parent)) members.add(pid);
  }
  members.delete(process.pid);
  return [...members];
}

/** Sends a signal to those that still live. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  }
}

/**
 * Kills the tree and resolves when nothing of it lives. It looks twice for an empty tree, a moment apart, since one look
 * can miss a process that was born while its parent died.
 */
export async function killTree(tree: Tree): Promise<void> {
  let pauseMs = FIRST_PAUSE_MS;
  for (let empty = 0; ; ) {
    const pids = processesOf(tree);
    signalAll(pids, 'SIGKILL');
    empty = pids.length === 0 ? empty + 1 : 0;
    if (empty === 2) return;
    await delay(pauseMs);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

function livingProcesses(): Process[] {
  if (process.platform !== 'linux') return processesByPs();
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    const stat = Number.isInteger(pid) ? readProc(pid, 'stat') : '';
    if (stat === '') return [];
    // pid (name, which may hold anything) state parent group …
    const [state, parent, group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ', 3);
    return state === 'Z' || state === 'X' ? [] : [{ pid, parent: Number(parent), group: Number(group) }];
  });
}

function processesByPs(): Process[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,pgid=,stat='], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => {
    const [pid, parent, group, state] = line.trim().split(/\s+/);
    if (state === undefined || state.startsWith('Z')) return [];
    return [{ pid: Number(pid), parent: Number(parent), group: Number(group) }];
  });
}

/** The run that a process says it belongs to; empty if it does not say. */
function markOf(pid: number): string {
  if (process.platform !== 'linux') return '';
  const environment = `\0${readProc(pid, 'environ')}`;
  const start = environment.indexOf(MARK);
  return start < 0 ? '' : environment.slice(start + MARK.length, environment.indexOf('\0', start + 1));
}

/** Empty when the process is gone or not ours to look at. */
function readProc(pid: number, file: 'stat' | 'environ'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return '';
  }
}

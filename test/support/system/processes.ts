/** Looks for the processes of tasks in the system's own table, by the mark in their environment. */

import { readdirSync, readFileSync } from 'node:fs';

/** A living process of a run. */
export interface RunProcess {
  readonly pid: number;
  readonly taskId: string;
  readonly runnerId: string;
  readonly command: string;
}

/** The processes that belong to runs of these tasks, whatever their group, session or parent. */
export function processesOf(taskIds: readonly string[]): RunProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const environment = readOf(pid, 'environ').split('\0');
      const valueOf = (name: string): string =>
        environment.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
      const taskId = valueOf('SIGNALBOX_TASK_ID');
      if (!taskIds.includes(taskId)) return [];
      const runnerId = valueOf('SIGNALBOX_RUNNER_ID');
      return [{ pid: Number(pid), taskId, runnerId, command: readOf(pid, 'cmdline').replaceAll('\0', ' ') }];
    });
}

/** The process that watches over the steps of a worker, if it has one. */
export function supervisorOf(workerPid: number): number | undefined {
  return childOf(workerPid, 'supervisor');
}

/** The process that starts git for a worker, if it has one. */
export function forkServerOf(workerPid: number): number | undefined {
  return childOf(workerPid, 'git-fork-server');
}

/** The first child of a process whose command line holds this text. */
function childOf(parent: number, text: string): number | undefined {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const isIt = (pid: string): boolean =>
    /^PPid:\s+(\d+)$/m.exec(readOf(pid, 'status'))?.[1] === String(parent) && readOf(pid, 'cmdline').includes(text);
  const found = pids.find(isIt);
  return found === undefined ? undefined : Number(found);
}

/** Whether a process is stopped, as by SIGSTOP. */
export function isStopped(pid: number): boolean {
  return /^State:\s+T/m.test(readOf(String(pid), 'status'));
}

/** Command lines of living processes that hold this text, whatever their environment, session or parent. */
export function commandsWith(text: string): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map((pid) => readOf(pid, 'cmdline').replaceAll('\0', ' ')).filter((command) => command.includes(text));
}

/** Empty for one that has ended meanwhile, that is a zombie, or that another user owns. */
function readOf(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

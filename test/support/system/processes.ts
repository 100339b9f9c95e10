/** Looks for the processes of tasks in the system's own table, by the mark in their environment. */

import { readdirSync, readFileSync } from 'node:fs';

/** A living process of a run. */
export interface RunProcess {
  readonly pid: number;
  readonly taskId: string;
  readonly command: string;
}

/** The processes that belong to runs of these tasks, whatever their group, session or parent. */
export function processesOf(taskIds: readonly string[]): RunProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const environment = readOf(pid, 'environ').split('\0');
      const mark = environment.find((entry) => entry.startsWith('SIGNALBOX_TASK_ID='));
      const taskId = mark?.slice('SIGNALBOX_TASK_ID='.length) ?? '';
      if (!taskIds.includes(taskId)) return [];
      return [{ pid: Number(pid), taskId, command: readOf(pid, 'cmdline').replaceAll('\0', ' ') }];
    });
}

/** Empty for one that has ended meanwhile, that is a zombie, or that another user owns. */
function readOf(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

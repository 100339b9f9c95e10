/** Which process is the agent that calls a hook: its end ends the session. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What agents start hooks through. */
const BETWEEN = /^(?:-?(?:sh|bash|dash|zsh|ksh|fish|ash)|busybox|env|timeout|npm.*|npx.*)$/;

/** The nearest ancestor that is neither a shell nor a runner of programs; undefined when there is none. */
export function agentPid(from = process.ppid): number | undefined {
  for (let pid = from; pid > 1; ) {
    const { name, parent } = look(pid);
    if (name === '') return undefined;
    if (!BETWEEN.test(name)) return pid;
    pid = parent;
  }
  return undefined;
}

function look(pid: number): { readonly name: string; readonly parent: number } {
  try {
    return process.platform === 'linux' ? lookInProc(pid) : lookByPs(pid);
  } catch {
    return { name: '', parent: 0 };
  }
}

function lookInProc(pid: number): { name: string; parent: number } {
  // pid (name, which may hold anything) state parent …
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const end = stat.lastIndexOf(')');
  return { name: stat.slice(stat.indexOf('(') + 1, end), parent: Number(stat.slice(end + 2).split(' ')[1]) };
}

function lookByPs(pid: number): { name: string; parent: number } {
  const [, parent = '', name = ''] =
    /^\s*(\d+)\s+(.*)$/.exec(
      execFileSync('ps', ['-o', 'ppid=,comm=', '-p', String(pid)], { encoding: 'utf8' }).trim(),
    ) ?? [];
  return { name: name.split('/').at(-1) ?? '', parent: Number(parent) };
}

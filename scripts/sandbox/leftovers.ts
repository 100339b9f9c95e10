/** What a sandbox left behind. Nothing, if all went well. */

import { readdir, readlink, stat } from 'node:fs/promises';
import type { Sandbox } from './sandbox.ts';

/** Processes and folders of a closed sandbox that are still there, in words; empty when nothing is. */
export async function leftovers({ dir, keep, programs }: Sandbox): Promise<string[]> {
  const running = programs
    .filter((program) => program.running)
    .map(({ name, pid }) => `${name} (pid ${pid}) still runs`);
  const inside = (await processesIn(dir)).map((pid) => `process ${pid} still runs in ${dir}`);
  const folder = await stat(dir).then(
    () => !keep,
    () => false,
  );
  return [...running, ...inside, ...(folder ? [`${dir} is still there`] : [])];
}

/** Processes whose current folder is, or was, `dir` or below it. Only Linux tells; elsewhere none are found. */
async function processesIn(dir: string): Promise<string[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const folders = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => '')));
  return pids.filter(
    (_pid, i) => folders[i] === dir || folders[i]?.startsWith(`${dir}/`) || folders[i] === `${dir} (deleted)`,
  );
}

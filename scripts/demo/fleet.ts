/**
 * The demo's tasks on a fleet that runs already: submits them to the queue in REDIS_URL, for a remote that its workers
 * reach, and judges what that holds afterwards. The workers need this folder at the same place: the steps are programs
 * of it.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Signalbox } from '../../src/client/signalbox.ts';
import type { TaskView } from '../../src/client/views.ts';
import type { RanTask } from './check.ts';
import { held, judge, watch } from './play.ts';
import { BASE, git, makeRemote } from './remote.ts';
import { type Played, renderReport } from './report.ts';
import { type DemoTask, demoTasks } from './tasks.ts';

const HELP = `usage: node --import tsx scripts/demo/fleet.ts [--times N] REMOTE

Puts this project's files into the empty repository REMOTE, runs the demo's tasks on it with the workers of the queue in
REDIS_URL, and compares the remote with what should be there. --times makes each task take N times as long.
`;
const WIDTH = 110;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

async function main(remote: string, times: number): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), 'signalbox-fleet-'));
  const copy = join(dir, 'remote.git');
  try {
    await makeRemote(ROOT, copy);
    await git(['--git-dir', copy, 'push', '--quiet', '--', remote, BASE]);
    const base = (await git(['--git-dir', copy, 'rev-parse', BASE])).trim();
    const tasks = demoTasks(remote, '/dev/null').map((task) => slowed(task, times));
    await using signalbox = await Signalbox.connect();
    const startedAt = Date.now();
    const played = await playOn(signalbox, tasks, startedAt);
    const wallMs = Date.now() - startedAt;
    await git(['--git-dir', copy, 'fetch', '--quiet', '--', remote, '+refs/heads/*:refs/heads/*']);
    const ran = played.map(({ view }, i): RanTask => ranTask(view, tasks[i]));
    const judged = await judge({ tasks, ran, remote: copy, base });
    // Steps note when they worked on their own machines; here that is not known.
    const findings = judged.filter(({ what }) => !what.includes('by their own notes'));
    console.log(['', ...renderReport({ played, wallMs, findings }, WIDTH)].join('\n'));
    return findings.every(({ ok }) => ok) ? 0 : 1;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** A fresh task each time: an idempotency key would give that of the last demo. */
function slowed(task: DemoTask, times: number): DemoTask {
  const { idempotencyKey: _, ...input } = task.input;
  const env = { ...input.env, DEMO_TAKES: String(Number(input.env?.['DEMO_TAKES'] ?? 0) * times) };
  return { ...task, input: { ...input, env } };
}

async function playOn(signalbox: Signalbox, tasks: readonly DemoTask[], startedAt: number): Promise<Played[]> {
  const { workers } = await signalbox.status();
  console.log(`${workers.length} workers: ${workers.map(({ host }) => host).join(', ')}`);
  const ids = (await signalbox.submit(tasks.map(({ input }) => input))).map(({ id }) => id);
  console.log(`${ids.length} tasks submitted`);
  const names = new Map(ids.map((id, i) => [id, tasks[i]?.name ?? id]));
  const called = new Map(workers.map(({ id, host }) => [id, host]));
  const say = (line: string): void => console.log(line);
  const options = { signalbox, names, workers: called, slots: 0 };
  const views = await watch(options, { redraw: false, say, signal: new AbortController().signal });
  return views.map((view): Played => {
    const name = names.get(view.id) ?? view.id;
    const bars = held(view).map(({ from, to }) => {
      return { worker: view.host ?? '?', name, from: from - startedAt, to: to - startedAt };
    });
    const blockers = view.conflicts.map(
      ({ resource, holderTaskId }) => `${names.get(holderTaskId ?? '') ?? ''} (${resource})`,
    );
    return { name, view, bars, blockedBy: [...new Set(blockers)] };
  });
}

function ranTask(view: TaskView, task: DemoTask | undefined): RanTask {
  const { id, state, branch, commit } = view;
  const { write = [], read = [] } = task?.input.claims ?? {};
  return { id, name: task?.name ?? id, state, branch, commit, write, read, held: held(view), worked: [] };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: 'boolean', default: false }, times: { type: 'string', default: '1' } },
});
const [remote] = positionals;
if (values.help) process.stdout.write(HELP);
else if (remote === undefined || !(Number(values.times) > 0)) {
  process.stderr.write(HELP);
  process.exitCode = 2;
} else process.exitCode = await main(remote, Number(values.times));

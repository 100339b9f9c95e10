/** Plays the demo in a sandbox: starts the workers, submits the tasks, waits for them, and judges the outcome. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Signalbox } from '../../src/client/signalbox.ts';
import type { TaskView } from '../../src/client/views.ts';
import type { Program } from '../sandbox/program.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import * as check from './check.ts';
import { type Live, type LiveOptions, plainLines, redrawn } from './live.ts';
import { BASE, git, makeRemote, readBranches } from './remote.ts';
import type { Played, Report } from './report.ts';
import { type DemoTask, demoTasks } from './tasks.ts';
import type { Bar } from './timeline.ts';
import { registered, SLOTS, startWorkers, WORKERS } from './workers.ts';

/** How a demo is played. */
export interface PlayOptions {
  readonly sandbox: Sandbox;
  /** The folder of the project. */
  readonly root: string;
  readonly say: (line: string) => void;
  /** Whether the view may redraw what it has printed. */
  readonly redraw: boolean;
  readonly signal: AbortSignal;
}

const REST_TIMEOUT_MS = 5_000;

/** Plays it. Rejects with the signal's reason when it is stopped; the sandbox is closed by the caller. */
export async function play({ sandbox, root, say, redraw, signal }: PlayOptions): Promise<Report> {
  const remote = join(sandbox.dir, 'remote.git');
  const from = await makeRemote(root, remote);
  const base = (await git(['--git-dir', remote, 'rev-parse', BASE])).trim();
  say(`remote: this project’s ${from === 'history' ? 'own history' : 'files'}, at ${base.slice(0, 8)}`);
  const programs = startWorkers(sandbox);
  await using signalbox = await Signalbox.connect({ redisUrl: sandbox.redisUrl, queue: sandbox.queue });
  const workers = await registered(signalbox, programs, signal);
  say(`${WORKERS.length} workers with ${SLOTS} runners each, as two processes`);

  const notes = join(sandbox.dir, 'notes.jsonl');
  const tasks = demoTasks(remote, notes);
  const startedAt = Date.now();
  const ids = (await signalbox.submit(tasks.map(({ input }) => input))).map(({ id }) => id);
  const names = new Map(ids.map((id, i) => [id, tasks[i]?.name ?? id]));
  say(`${tasks.length} tasks submitted`);
  const views = await watch({ signalbox, names, workers, slots: SLOTS }, { redraw, say, signal });
  const wallMs = Date.now() - startedAt;

  const played = views.map((view): Played => {
    const blockedBy = view.conflicts.map(
      ({ resource, holderTaskId }) => `${names.get(holderTaskId ?? '') ?? ''} (${resource})`,
    );
    const worker = workers.get(view.workerId ?? '') ?? '?';
    const bars = held(view).map((one): Bar => {
      return { worker, name: names.get(view.id) ?? view.id, from: one.from - startedAt, to: one.to - startedAt };
    });
    return { name: names.get(view.id) ?? view.id, view, bars, blockedBy: [...new Set(blockedBy)] };
  });
  const ran = await ranTasks({ tasks, views, notes });
  const rest = await atRest(signalbox, programs);
  return { played, wallMs, findings: [...(await judge({ tasks, ran, remote, base })), rest] };
}

/** Shows what the tasks do until all have ended; answers how. */
export async function watch(
  options: LiveOptions,
  { redraw, say, signal }: Pick<PlayOptions, 'redraw' | 'say' | 'signal'>,
): Promise<TaskView[]> {
  await using live: Live = redraw ? redrawn(options) : plainLines(options, say);
  const changes = await options.signalbox.events();
  void (async () => {
    for await (const change of changes) live.changed(change);
  })().catch(() => {});
  return await Promise.all([...options.names.keys()].map((id) => options.signalbox.waitFor(id, { signal })));
}

/** When a task held its claim: from each start of a run to the next change of state, by the clock of Redis. */
export function held({ history }: TaskView): check.Interval[] {
  return history.flatMap(({ state, at }, i) => {
    const next = history[i + 1];
    return state === 'running' && next !== undefined ? [{ from: Date.parse(at), to: Date.parse(next.at) }] : [];
  });
}

interface Evidence {
  readonly tasks: readonly DemoTask[];
  readonly views: readonly TaskView[];
  readonly notes: string;
}

async function ranTasks({ tasks, views, notes }: Evidence): Promise<check.RanTask[]> {
  const lines = (await readFile(notes, 'utf8')).split('\n').filter((line) => line !== '');
  const noted = lines.map((line) => JSON.parse(line) as check.Interval & { readonly task: string });
  return views.map((view, i) => {
    const { id, state, branch, commit } = view;
    const { write = [], read = [] } = tasks[i]?.input.claims ?? {};
    const worked = noted.filter(({ task }) => task === id);
    return { id, name: tasks[i]?.name ?? id, state, branch, commit, write, read, held: held(view), worked };
  });
}

/** What is judged. */
export interface Outcome {
  readonly tasks: readonly DemoTask[];
  readonly ran: readonly check.RanTask[];
  readonly remote: string;
  readonly base: string;
}

/** Holds what the tasks say against the remote, a bare repository here. */
export async function judge({ tasks, ran, remote, base }: Outcome): Promise<check.Finding[]> {
  const branches = await readBranches(remote, base);
  const idle = ran.filter(({ commit }, i) => commit === null && tasks[i]?.mayChangeNothing !== true);
  return [
    check.finding('every task succeeded', check.failures(ran)),
    check.finding(
      'every task that had to change something did',
      idle.map(({ name }) => `${name} has no commit`),
    ),
    check.finding(
      'no two overlapping claims were held at once',
      check.overlaps(ran, ({ held: when }) => when),
    ),
    check.finding(
      'no two steps worked on one thing at once, by their own notes',
      check.overlaps(ran, ({ worked }) => worked),
    ),
    check.finding(
      'every branch of the remote has its tasks’ commits, in the order in which they ran',
      check.branchProblems(ran, branches),
    ),
    check.finding('every task is on the remote exactly once', check.countProblems(ran, branches)),
    check.finding('no commit changed a file that its task had not claimed', check.undeclaredProblems(ran, branches)),
  ];
}

/** What is left when all tasks have ended; their claims are given back in the moment after that. */
async function atRest(signalbox: Signalbox, programs: readonly Program[]): Promise<check.Finding> {
  const until = Date.now() + REST_TIMEOUT_MS;
  let left = await leftIn(signalbox);
  while (left.length > 0 && Date.now() < until) {
    await new Promise((done) => setTimeout(done, 50));
    left = await leftIn(signalbox);
  }
  const fired = programs.flatMap(({ lines }) => lines.filter((line) => line.includes('wait.dead_man_fired')));
  return check.finding('no claim, ticket or runner is left, and nobody was woken by the clock', [...left, ...fired]);
}

async function leftIn(signalbox: Signalbox): Promise<string[]> {
  const [{ held: claims, waiting }, { runners }] = await Promise.all([signalbox.claims(), signalbox.status()]);
  return [
    ...claims.map(({ resource }) => `${resource} is still held`),
    ...waiting.map(({ taskId }) => `${taskId} still waits`),
    ...runners.map(({ taskId }) => `${taskId} still runs`),
  ];
}

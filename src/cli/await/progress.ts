/** Shows how awaited tasks go: a calm live view on a terminal, else a line a change. Both on stderr. */

import type { Signalbox } from '../../client/signalbox.ts';
import { isTerminal, STATES, type TaskState } from '../../task/states.ts';
import { clip, stateText } from '../format.ts';
import type { Output } from '../output.ts';
import { fit } from '../view/columns.ts';
import { openLiveView } from '../view/live-view.ts';
import { LineReader } from '../view/read-lines.ts';
import { taskLines } from '../view/task-line.ts';
import type { Standing } from './ends.ts';

/** What is shown. */
interface ProgressOptions {
  readonly box: Signalbox;
  readonly out: Output;
  readonly ids: readonly string[];
}

/** A view that is open. */
export interface Progress {
  readonly changed: (id: string, standing: Standing) => void;
  readonly close: () => Promise<void>;
}

/** The most tasks that are read for a drawing. */
const MOST = 100;

/** Opens the view that fits where stderr goes. */
export async function openProgress(options: ProgressOptions): Promise<Progress> {
  return options.out.isTerminal('stderr') ? openLive(options) : await openLines(options);
}

async function openLines({ box, out, ids }: ProgressOptions): Promise<Progress> {
  const records = await box.queue.store.getMany(ids);
  const titles = new Map(records.map(({ id, title }) => [id, title]));
  return {
    changed: (id, { state, code }) => {
      out.note(`${id} ${stateText(out.paintNote, state, code)}: ${clip(titles.get(id) ?? '', 80)}`);
    },
    close: async () => {},
  };
}

function openLive({ box, out, ids }: ProgressOptions): Progress {
  const standings = new Map<string, TaskState>();
  const reader = new LineReader(box);
  const view = openLiveView({
    stream: process.stderr,
    render: async ({ width, height }) => {
      const { paintNote: paint } = out;
      const tasks = await reader.tasks(linesFor(ids, standings));
      const summary = ids.length === 1 ? [] : [paint('dim', fit(summaryOf(ids.length, standings), width).trimEnd())];
      return [...taskLines(tasks, { width, paint, height: height - summary.length, total: ids.length }), ...summary];
    },
  });
  return {
    changed: (id, { state }) => {
      standings.set(id, state);
      view.refresh();
    },
    close: view.close,
  };
}

/** All if they are few; else first those that have not ended. */
function linesFor(ids: readonly string[], standings: ReadonlyMap<string, TaskState>): string[] {
  if (ids.length <= MOST) return [...ids];
  const rank = (id: string): number => {
    const state = standings.get(id) ?? 'queued';
    return state === 'running' ? 0 : isTerminal(state) ? 2 : 1;
  };
  return ids.toSorted((a, b) => rank(a) - rank(b)).slice(0, MOST);
}

function summaryOf(count: number, standings: ReadonlyMap<string, TaskState>): string {
  const states = [...standings.values()];
  const counts = STATES.flatMap((state) => {
    const number = states.filter((one) => one === state).length;
    return number === 0 ? [] : [`${number} ${state}`];
  });
  return `${states.filter(isTerminal).length} of ${count} ended${counts.length === 0 ? '' : `: ${counts.join(', ')}`}`;
}

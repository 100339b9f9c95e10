/** Shows how awaited tasks go: a calm live view on a terminal, else a line a change. Both on stderr. */

import type { Signalbox } from '../../client/signalbox.ts';
import type { TaskRecord } from '../../queue/record.ts';
import { isTerminal } from '../../task/states.ts';
import { clip, countText, durationText, stateText, table } from '../format.ts';
import { openLiveView } from '../live-view.ts';
import type { Output } from '../output.ts';
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

/** The most tasks that the live view has a line for. */
const LINES = 15;

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
  const ended = new Set<string>();
  const view = openLiveView({
    stream: process.stderr,
    render: async () => {
      const shown = await box.queue.store.getMany(linesFor(ids, ended));
      const rest = ids.length - shown.length;
      const rows = shown.map((record) => rowOf(record, out));
      return [
        table(out.paintNote, ['task', 'state', 'for', 'title', ''], rows),
        ...(rest > 0 ? [`… and ${countText(rest, 'other')}; ${ended.size} of ${ids.length} ended`] : []),
      ];
    },
  });
  return {
    changed: (id, { state }) => {
      if (isTerminal(state)) ended.add(id);
      view.refresh();
    },
    close: view.close,
  };
}

/** All if they are few; else first those that have not ended. */
function linesFor(ids: readonly string[], ended: ReadonlySet<string>): string[] {
  if (ids.length <= LINES) return [...ids];
  const open = ids.filter((id) => !ended.has(id));
  return [...open, ...ids.filter((id) => ended.has(id))].slice(0, LINES);
}

function rowOf(record: TaskRecord, { paintNote }: Output): string[] {
  const { id, state, code, title, phases, startedAt, submittedAt, finishedAt } = record;
  const since = startedAt ?? submittedAt;
  const phase = phases.at(-1);
  const step = phase?.steps.length ?? 0;
  const where =
    state === 'running' && phase !== undefined
      ? `${phase.name}${step > 0 ? `, ${countText(step, 'step')} done` : ''}`
      : '';
  const took = durationText((finishedAt ?? Date.now()) - since);
  return [id, stateText(paintNote, state, code), paintNote('dim', took), clip(title, 60), where];
}

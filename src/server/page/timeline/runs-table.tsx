/** The runs of the timeline in words, for those who do not see it. */

import type { TimelineRun } from '../api/shapes.ts';
import { Branch, State, TaskLink } from '../parts/chips.tsx';
import { Empty } from '../parts/states.tsx';
import { now } from '../shell/clock.ts';
import { clockWords, durationWords } from '../words/time.ts';

const MOST = 200;

/** The newest runs, newest first. */
export function RunsTable({ runs }: { readonly runs: readonly TimelineRun[] }) {
  if (runs.length === 0) return <Empty title="Nothing ran in this time." />;
  const newest = runs.toSorted((a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt)).slice(0, MOST);
  return (
    <div class="table-scroll">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Task</th>
            <th scope="col">Branch</th>
            <th scope="col">State</th>
            <th scope="col">Began</th>
            <th scope="col">Took</th>
            <th scope="col">Waited for</th>
          </tr>
        </thead>
        <tbody>
          {newest.map((run) => (
            <tr key={`${run.taskId} ${run.run}`}>
              <td>
                <TaskLink id={run.taskId} title={run.title} />
              </td>
              <td>
                <Branch name={run.branch} />
              </td>
              <td>
                <State state={run.state} code={run.code} />
              </td>
              <td class="number">{clockWords(Date.parse(run.startedAt))}</td>
              <td class="number">
                {durationWords(
                  (run.finishedAt === null ? now.value : Date.parse(run.finishedAt)) - Date.parse(run.startedAt),
                )}
              </td>
              <td>{run.waits.map(({ resource }) => resource).join(', ') || '–'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

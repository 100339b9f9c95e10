/** Tasks as rows. */

import type { ListedTask } from '../api/shapes.ts';
import { Ago, Branch, Since, State, TaskLink } from '../parts/chips.tsx';
import { shortRepo } from '../words/amount.ts';
import { durationWords } from '../words/time.ts';

interface TaskTableProps {
  readonly tasks: readonly ListedTask[];
  readonly set: (change: Readonly<Record<string, string>>) => void;
}

/** A row for each; owner and repository are filters. */
export function TaskTable({ tasks, set }: TaskTableProps) {
  return (
    <div class="table-scroll">
      <table class="table task-table">
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">Task</th>
            <th scope="col">Branch</th>
            <th scope="col">Owner</th>
            <th scope="col">Waited</th>
            <th scope="col">Ran</th>
            <th scope="col">Submitted</th>
          </tr>
        </thead>
        <tbody>
          {tasks.map((task) => (
            <TaskRow key={task.id} task={task} set={set} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function TaskRow({ task, set }: { readonly task: ListedTask; readonly set: TaskTableProps['set'] }) {
  const { id, title, state, code, branch, repo, owner, spec, waitMs, submittedAt, startedAt, finishedAt } = task;
  return (
    <tr>
      <td class="cell-state">
        <State state={state} code={code} />
      </td>
      <td class="cell-task">
        <TaskLink id={id} title={title} />
        <span class="cell-repo">
          <button type="button" class="filter-link" title={`Only tasks of ${repo}`} onClick={() => set({ repo })}>
            {shortRepo(repo)}
          </button>
          {spec !== null && <span class="faint"> · {spec}</span>}
        </span>
      </td>
      <td class="cell-branch">
        <Branch name={branch} />
      </td>
      <td class="cell-owner">
        <button type="button" class="filter-link" title={`Only tasks of ${owner}`} onClick={() => set({ owner })}>
          {owner}
        </button>
      </td>
      <td class="number cell-waited">{durationWords(waitMs)}</td>
      <td class="number cell-ran">{startedAt === null ? '–' : <Since at={startedAt} until={finishedAt} />}</td>
      <td class="faint cell-submitted">
        <Ago at={submittedAt} />
      </td>
    </tr>
  );
}

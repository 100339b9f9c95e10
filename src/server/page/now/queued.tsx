/** What has not asked for its claims yet, and what comes later. */

import type { ListedTask, Status } from '../api/shapes.ts';
import { Ago, Branch, TaskLink } from '../parts/chips.tsx';
import { Empty, Panel } from '../parts/states.tsx';
import type { Lists } from './now.tsx';

const SHOWN = 12;

/** Queued and scheduled tasks, the oldest first. */
export function Queued({ lists, status }: { readonly lists: Lists; readonly status: Status }) {
  return (
    <>
      <TaskPanel title="Queued" tasks={lists.queued} count={status.queued} state="queued" />
      {status.scheduled > 0 && (
        <TaskPanel title="Scheduled" tasks={lists.scheduled} count={status.scheduled} state="scheduled" />
      )}
    </>
  );
}

interface TaskPanelProps {
  readonly title: string;
  readonly tasks: readonly ListedTask[];
  readonly count: number;
  readonly state: string;
}

function TaskPanel({ title, tasks, count, state }: TaskPanelProps) {
  const oldest = tasks.toReversed().slice(0, SHOWN);
  return (
    <Panel
      title={title}
      count={count}
      aside={
        count > oldest.length ? (
          <a class="more-link" href={`/tasks?state=${state}`}>
            all
          </a>
        ) : undefined
      }
    >
      {oldest.length === 0 ? (
        <Empty title="The line is empty." />
      ) : (
        <ul class="rows is-small">
          {oldest.map((task) => (
            <li class="row" key={task.id}>
              <div class="row-main">
                <TaskLink id={task.id} title={task.title} />
                <div class="row-facts">
                  <Branch name={task.branch} />
                  {task.priority !== 'normal' && <span class="priority">{task.priority}</span>}
                </div>
              </div>
              <div class="row-side faint">
                <Ago at={task.submittedAt} />
              </div>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

/** What runs now. */

import type { ListedTask, Status } from '../api/shapes.ts';
import { cancelTask } from '../parts/act.ts';
import { Branch, Resource, Since, TaskLink } from '../parts/chips.tsx';
import { Icon } from '../parts/icon.tsx';
import { Empty, Panel } from '../parts/states.tsx';
import { mayWrite } from '../shell/me.ts';
import { shortId, shortRepo } from '../words/amount.ts';
import type { Lists } from './now.tsx';

type Runner = Status['runners'][number];

/** A row for each runner: what it does, where, and what it holds. */
export function Running({ lists, status }: { readonly lists: Lists; readonly status: Status }) {
  const tasks = new Map(lists.running.map((task) => [task.id, task]));
  const workers = new Map(status.workers.map(({ id, name }) => [id, name]));
  const { runners } = status;
  return (
    <Panel title="Running" count={runners.length}>
      {runners.length === 0 ? (
        <Empty title="Nothing runs.">
          {status.workers.length === 0 ? (
            <p>
              No worker is registered. Start one with <code>signalbox worker</code>.
            </p>
          ) : (
            <p>
              Queue a task with <code>signalbox submit --run 'npm test'</code>.
            </p>
          )}
        </Empty>
      ) : (
        <ul class="rows">
          {runners.map((runner) => (
            <RunnerRow
              key={runner.id}
              runner={runner}
              task={tasks.get(runner.taskId ?? '')}
              worker={workers.get(runner.workerId) ?? shortId(runner.workerId)}
            />
          ))}
        </ul>
      )}
    </Panel>
  );
}

interface RowProps {
  readonly runner: Runner;
  readonly task: ListedTask | undefined;
  readonly worker: string;
}

function RunnerRow({ runner, task, worker }: RowProps) {
  const claims = runner.claims.filter(({ resource }) => /^(?:path|resource):/.test(resource));
  return (
    <li class="row">
      <div class="row-main">
        {runner.taskId === null ? (
          <span class="row-title">A program that holds claims ({shortId(runner.id)})</span>
        ) : (
          <TaskLink id={runner.taskId} title={task?.title} />
        )}
        <div class="row-facts">
          {task !== undefined && <Branch name={task.branch} />}
          {task !== undefined && (
            <span class="faint">
              {shortRepo(task.repo)} · {task.owner}
            </span>
          )}
          <ClaimChips claims={claims} />
        </div>
      </div>
      <div class="row-side">
        {runner.phase !== null && <span class="phase">{runner.phase}</span>}
        <Since at={runner.startedAt} />
        <span class="faint row-worker">{worker}</span>
      </div>
      {mayWrite.value && runner.taskId !== null && task !== undefined && (
        <button
          type="button"
          class="button is-icon is-quiet"
          aria-label={`Cancel ${task.title}`}
          title="Cancel"
          onClick={() => cancelTask(task)}
        >
          <Icon name="close" />
        </button>
      )}
    </li>
  );
}

const SHOWN = 3;

function ClaimChips({ claims }: { readonly claims: Runner['claims'] }) {
  const more = claims.length - SHOWN;
  return (
    <>
      {claims.slice(0, SHOWN).map(({ resource, mode }) => (
        <span class={`claim is-${mode}`} key={resource}>
          <Resource of={resource} />
          {mode === 'read' && <span class="claim-mode">read</span>}
        </span>
      ))}
      {more > 0 && <span class="faint">+{more}</span>}
    </>
  );
}

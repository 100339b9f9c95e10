/** A task's page. */

import { addressOf, getJson } from '../api/request.ts';
import type { Explanation, TaskView } from '../api/shapes.ts';
import { useLoad } from '../api/use-load.ts';
import { cancelTask, retryTask } from '../parts/act.ts';
import { Branch, State, TaskLink } from '../parts/chips.tsx';
import { Icon } from '../parts/icon.tsx';
import { Empty, Show } from '../parts/states.tsx';
import { useKeys } from '../shell/keys.ts';
import { mayWrite } from '../shell/me.ts';
import { shortRepo } from '../words/amount.ts';
import { hasEnded } from '../words/state.ts';
import { Explain } from './explain.tsx';
import { Facts } from './facts.tsx';
import { Phases } from './phases.tsx';
import { Sections } from './sections.tsx';

/** The view at `/tasks/ID`. */
export function Task({ id }: { readonly id: string }) {
  const path = `/tasks/${encodeURIComponent(id)}`;
  const task = useLoad(id, async (signal) => await getJson<TaskView>(addressOf(path), signal), {
    everyMs: 2_000,
    at: (change) => change.id === id,
  });
  const ended = task.data !== undefined && hasEnded(task.data.state);
  const explanation = useLoad(
    `${id} ${task.data?.state ?? ''}`,
    async (signal) => await getJson<Explanation>(addressOf(`${path}/explain`), signal),
    { everyMs: 4_000, isFinal: ended },
  );
  useKeys({
    c: () => {
      if (mayWrite.value && task.data !== undefined && !ended) cancelTask(task.data);
    },
    r: () => {
      if (mayWrite.value && task.data !== undefined && ended) retryTask(task.data);
    },
  });
  if (task.data === undefined && task.error?.status === 404) {
    return (
      <Empty title={task.error.message}>
        <p>{task.error.next}</p>
        <p>
          See <a href="/tasks">all tasks that are kept</a>.
        </p>
      </Empty>
    );
  }
  return (
    <div class="view task">
      <Show of={task} rows={8}>
        {(data) => (
          <>
            <Head task={data} ended={ended} />
            {explanation.data !== undefined && <Explain explanation={explanation.data} task={data} />}
            <Phases phases={data.phases} />
            <div class="task-columns">
              <Sections task={data} />
              <Facts task={data} />
            </div>
          </>
        )}
      </Show>
    </div>
  );
}

function Head({ task, ended }: { readonly task: TaskView; readonly ended: boolean }) {
  const { id, title, state, code, branch, repo, retryOf } = task;
  return (
    <header class="task-head">
      <p class="task-trail">
        <a href="/tasks">Tasks</a>
        <Icon name="chevron" />
        <code>{id}</code>
      </p>
      <div class="task-title">
        <h1>{title}</h1>
        {mayWrite.value && (
          <div class="task-actions">
            {ended ? (
              <button type="button" class="button" onClick={() => retryTask(task)}>
                <Icon name="retry" />
                Retry
              </button>
            ) : (
              <button type="button" class="button is-danger-quiet" onClick={() => cancelTask(task)}>
                <Icon name="stop" />
                Cancel
              </button>
            )}
          </div>
        )}
      </div>
      <div class="row-facts">
        <State state={state} code={code} />
        <Branch name={branch} />
        <span class="faint" title={repo}>
          {shortRepo(repo)}
        </span>
        {retryOf !== null && (
          <span class="faint">
            retry of <TaskLink id={retryOf} />
          </span>
        )}
      </div>
    </header>
  );
}

/** All kept tasks, newest first: filtered, searched, and a page at a time. */

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Empty, Show } from '../parts/states.tsx';
import { go } from '../shell/go.ts';
import { useKeys } from '../shell/keys.ts';
import { taskPath, tasksPath } from '../shell/route.ts';
import { Filters } from './filters.tsx';
import { TaskTable } from './task-table.tsx';
import { useTaskPages } from './use-task-pages.ts';

/** What the list is filtered by, as in the address. */
export interface TaskQuery {
  readonly q?: string;
  readonly state?: string;
  readonly owner?: string;
  readonly repo?: string;
}

/** The view at `/tasks`. */
export function TaskList({ query }: { readonly query: Readonly<Record<string, string>> }) {
  const { q = '', state = '', owner = '', repo = '' } = query;
  const pages = useTaskPages({ q, state, owner, repo });
  const selected = useSignal(-1);
  const tasks = pages.data?.tasks ?? [];
  const body = useRef<HTMLDivElement>(null);
  const select = (index: number): void => {
    selected.value = Math.max(0, Math.min(tasks.length - 1, index));
    const links = body.current?.querySelectorAll<HTMLAnchorElement>('tbody .task-link');
    links?.[selected.value]?.focus();
  };
  useKeys({
    j: () => select(selected.value + 1),
    k: () => select(selected.value - 1),
    Enter: () => {
      const task = tasks[selected.value];
      if (task !== undefined) go(taskPath(task.id));
    },
  });
  useEffect(() => {
    selected.value = -1;
  }, [q, state, owner, repo]);
  const set = (change: Readonly<Record<string, string>>): void =>
    go(tasksPath({ q, state, owner, repo, ...change }), { replace: true });
  const isFiltered = [q, state, owner, repo].some((value) => value !== '');
  return (
    <div class="view tasks" ref={body}>
      <Filters query={{ q, state, owner, repo }} set={set} />
      <Show of={pages} rows={10}>
        {({ next }) =>
          tasks.length === 0 ? (
            <NoTasks isFiltered={isFiltered} clear={() => go('/tasks')} />
          ) : (
            <>
              <TaskTable tasks={tasks} set={set} />
              <footer class="list-foot">
                <span class="faint">
                  {tasks.length} shown{next === null ? '' : ', newest first'}
                </span>
                {next !== null && (
                  <button type="button" class="button" onClick={() => void pages.more()} disabled={pages.isMore}>
                    {pages.isMore ? 'Loading…' : 'Show more'}
                  </button>
                )}
              </footer>
            </>
          )
        }
      </Show>
    </div>
  );
}

function NoTasks({ isFiltered, clear }: { readonly isFiltered: boolean; readonly clear: () => void }) {
  if (isFiltered) {
    return (
      <Empty title="No kept task is like this.">
        <p>Tasks that ended long ago are not kept for ever.</p>
        <button type="button" class="button" onClick={clear}>
          Show all tasks
        </button>
      </Empty>
    );
  }
  return (
    <Empty title="There are no tasks yet.">
      <p>
        Queue one: <code>signalbox submit --repo . --run 'npm test'</code>
      </p>
    </Empty>
  );
}

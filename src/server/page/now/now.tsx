/** What runs, what waits for whom, what is queued, and who works. */

import { addressOf, getJson } from '../api/request.ts';
import type { ClaimsView, ListedTask, Status, TaskPage } from '../api/shapes.ts';
import { useLoad } from '../api/use-load.ts';
import { pauseOrResume } from '../parts/act.ts';
import { Icon } from '../parts/icon.tsx';
import { Show } from '../parts/states.tsx';
import { mayWrite } from '../shell/me.ts';
import { status } from '../shell/status.ts';
import { Blocked } from './blocked.tsx';
import { Gauge } from './gauge.tsx';
import { Queued } from './queued.tsx';
import { Running } from './running.tsx';
import { Workers } from './workers.tsx';

/** What the view has loaded, beside the status. */
export interface Lists {
  readonly running: readonly ListedTask[];
  readonly blocked: readonly ListedTask[];
  readonly queued: readonly ListedTask[];
  readonly scheduled: readonly ListedTask[];
  readonly claims: ClaimsView;
}

/** The view at `/`. */
export function Now() {
  const lists = useLoad('now', loadLists, { everyMs: 10_000 });
  const both = {
    data:
      lists.data === undefined || status.value.data === undefined
        ? undefined
        : { lists: lists.data, status: status.value.data },
    error: lists.error ?? status.value.error,
    reload: () => {
      lists.reload();
      status.value.reload();
    },
  };
  return (
    <div class="view now">
      <Show of={both} rows={8}>
        {(data) => <Panels {...data} />}
      </Show>
    </div>
  );
}

function Panels({ lists, status: state }: { readonly lists: Lists; readonly status: Status }) {
  return (
    <>
      <section class="summary" aria-label="The queue now">
        <Gauge status={state} />
        <Counts status={state} />
        {mayWrite.value && (
          <button type="button" class="button summary-action" onClick={() => pauseOrResume(state.paused)}>
            <Icon name={state.paused ? 'play' : 'pause'} />
            {state.paused ? 'Resume' : 'Pause'}
          </button>
        )}
      </section>
      <div class="now-columns">
        <div class="now-main">
          <Running lists={lists} status={state} />
          <Blocked lists={lists} count={state.blocked} />
        </div>
        <div class="now-side">
          <Workers status={state} />
          <Queued lists={lists} status={state} />
        </div>
      </div>
    </>
  );
}

function Counts({ status: { running, blocked, queued, scheduled, finished } }: { readonly status: Status }) {
  const counts = [
    ['running', running, '/tasks?state=running'],
    ['blocked', blocked, '/tasks?state=blocked'],
    ['queued', queued, '/tasks?state=queued'],
    ['scheduled', scheduled, '/tasks?state=scheduled'],
    ['finished', finished, '/tasks'],
  ] as const;
  return (
    <ul class="counts">
      {counts.map(([name, count, path]) => (
        <li key={name}>
          <a href={path} class={`stat is-${name} ${count === 0 ? 'is-none' : ''}`}>
            <span class="stat-count">{count}</span>
            <span class="stat-name">{name}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}

async function loadLists(signal: AbortSignal): Promise<Lists> {
  const list = async (state: string, limit: number): Promise<readonly ListedTask[]> =>
    (await getJson<TaskPage>(addressOf('/tasks', { state, limit }), signal)).tasks;
  const [running, blocked, queued, scheduled, claims] = await Promise.all([
    list('running', 50),
    list('blocked', 50),
    list('queued', 20),
    list('scheduled', 20),
    getJson<ClaimsView>(addressOf('/claims'), signal),
  ]);
  return { running, blocked, queued, scheduled, claims };
}

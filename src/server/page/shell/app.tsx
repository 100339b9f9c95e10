/** The page: its header, the view that the address names, and what is above all views. */

import { useEffect } from 'preact/hooks';
import { Hot } from '../hot/hot.tsx';
import { LimitsView } from '../limits/limits.tsx';
import { Now } from '../now/now.tsx';
import { pauseOrResume } from '../parts/act.ts';
import { ConfirmDialog } from '../parts/confirm.tsx';
import { Notices } from '../parts/notice.tsx';
import { Empty } from '../parts/states.tsx';
import { Task } from '../task/task.tsx';
import { TaskList } from '../tasks/task-list.tsx';
import { Timeline } from '../timeline/timeline.tsx';
import { go, route } from './go.ts';
import { Header } from './header.tsx';
import { Help, toggleHelp } from './help.tsx';
import { useKeys } from './keys.ts';
import { LostBanner } from './lost-banner.tsx';
import { mayWrite } from './me.ts';
import type { Route } from './route.ts';
import { useStatus } from './status.ts';
import { Tabs } from './tabs.tsx';
import { toggleTheme } from './theme.ts';

/** Everything. */
export function App() {
  const status = useStatus();
  const { paused } = status.data ?? {};
  useKeys({
    'g n': () => go('/'),
    'g t': () => go('/timeline'),
    'g h': () => go('/hot'),
    'g l': () => go('/tasks'),
    'g c': () => go('/limits'),
    '/': focusSearch,
    '?': toggleHelp,
    d: toggleTheme,
    p: () => {
      if (mayWrite.value && paused !== undefined) pauseOrResume(paused);
    },
  });
  const shown = route.value;
  useEffect(() => {
    document.title = titleOf(shown);
  }, [shown]);
  return (
    <>
      <a class="skip" href="#main">
        Skip to the view
      </a>
      <Header status={status.data} />
      <LostBanner />
      {paused === true && <PausedBanner />}
      <main id="main" tabIndex={-1}>
        <View route={shown} />
      </main>
      <Tabs view={shown.view} place="below" />
      <ConfirmDialog />
      <Help />
      <Notices />
    </>
  );
}

function View({ route: shown }: { readonly route: Route }) {
  switch (shown.view) {
    case 'now':
      return <Now />;
    case 'timeline':
      return <Timeline />;
    case 'hot':
      return <Hot />;
    case 'limits':
      return <LimitsView />;
    case 'tasks':
      return <TaskList query={shown.query} />;
    case 'task':
      return <Task key={shown.id} id={shown.id} />;
    case 'nowhere':
      return (
        <Empty title={`There is nothing at ${shown.path}.`}>
          <p>
            See <a href="/">what runs now</a> or <a href="/tasks">all tasks</a>.
          </p>
        </Empty>
      );
  }
}

function PausedBanner() {
  return (
    <div class="banner is-paused" role="status">
      <p>The queue is paused: what runs goes on, and nothing else is started.</p>
      {mayWrite.value && (
        <button type="button" class="button" onClick={() => pauseOrResume(true)}>
          Resume
        </button>
      )}
    </div>
  );
}

function titleOf(shown: Route): string {
  const titles = { now: 'Now', timeline: 'Timeline', hot: 'Hot spots', limits: 'Limits', tasks: 'Tasks' } as const;
  if (shown.view === 'task') return `Task ${shown.id} · Signalbox`;
  return shown.view === 'nowhere' ? 'Signalbox' : `${titles[shown.view]} · Signalbox`;
}

function focusSearch(): void {
  const search = document.querySelector<HTMLInputElement>('input[type=search]');
  if (search === null) go('/tasks');
  // The list has to be there first.
  requestAnimationFrame(() => document.querySelector<HTMLInputElement>('input[type=search]')?.focus());
}

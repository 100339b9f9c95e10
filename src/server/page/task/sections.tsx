/** Log, diff, conflicts and history: one at a time. */

import { useSignal } from '@preact/signals';
import type { TaskView } from '../api/shapes.ts';
import { Ago, Resource, State, TaskLink } from '../parts/chips.tsx';
import { Empty } from '../parts/states.tsx';
import { useKeys } from '../shell/keys.ts';
import { dateWords } from '../words/time.ts';
import { Diff } from './diff.tsx';
import { Log } from './log.tsx';
import { Words } from './words.tsx';

const NAMES = ['Log', 'Diff', 'Conflicts', 'History'] as const;
type Name = (typeof NAMES)[number];

/** The tabs, and what the chosen one shows. */
export function Sections({ task }: { readonly task: TaskView }) {
  const chosen = useSignal<Name>('Log');
  const choose = (name: Name): void => {
    chosen.value = name;
  };
  useKeys(Object.fromEntries(NAMES.map((name, i) => [String(i + 1), () => choose(name)])));
  const move = (by: number): void => {
    const next = NAMES[(NAMES.indexOf(chosen.value) + by + NAMES.length) % NAMES.length] ?? 'Log';
    choose(next);
    document.querySelector<HTMLElement>(`#tab-${next}`)?.focus();
  };
  const counts: Readonly<Record<Name, number | undefined>> = {
    Log: undefined,
    Diff: task.filesChanged.length,
    Conflicts: task.conflicts.length,
    History: task.history.length,
  };
  return (
    <section class="panel sections">
      <div class="section-tabs" role="tablist" aria-label="About this task">
        {NAMES.map((name) => (
          <button
            key={name}
            id={`tab-${name}`}
            type="button"
            role="tab"
            aria-selected={chosen.value === name}
            aria-controls="section"
            tabIndex={chosen.value === name ? 0 : -1}
            onClick={() => choose(name)}
            onKeyDown={(event) => {
              if (event.key !== 'ArrowRight' && event.key !== 'ArrowLeft') return;
              event.preventDefault();
              move(event.key === 'ArrowRight' ? 1 : -1);
            }}
          >
            {name}
            {(counts[name] ?? 0) > 0 && <span class="count">{counts[name]}</span>}
          </button>
        ))}
      </div>
      <div id="section" role="tabpanel" aria-labelledby={`tab-${chosen.value}`}>
        <Section name={chosen.value} task={task} />
      </div>
    </section>
  );
}

function Section({ name, task }: { readonly name: Name; readonly task: TaskView }) {
  switch (name) {
    case 'Log':
      return <Log task={task} />;
    case 'Diff':
      return <Diff task={task} />;
    case 'Conflicts':
      return <Conflicts conflicts={task.conflicts} />;
    case 'History':
      return <History history={task.history} />;
  }
}

function Conflicts({ conflicts }: Pick<TaskView, 'conflicts'>) {
  if (conflicts.length === 0) return <Empty title="Nobody had what it needed." />;
  return (
    <ul class="rows is-small">
      {conflicts.toReversed().map(({ resource, holderTaskId, at }) => (
        <li class="row" key={`${at} ${resource} ${holderTaskId}`}>
          <div class="row-main row-facts">
            <Resource of={resource} />
            <span class="faint">was held by</span>
            {holderTaskId === null ? <span class="faint">a program</span> : <TaskLink id={holderTaskId} />}
          </div>
          <div class="row-side faint">
            <Ago at={at} />
          </div>
        </li>
      ))}
    </ul>
  );
}

function History({ history }: Pick<TaskView, 'history'>) {
  return (
    <ol class="history">
      {history.map(({ state, at, reason }, i) => (
        <li key={`${i} ${at}`}>
          <State state={state} />
          <span class="history-reason">
            <Words text={reason} />
          </span>
          <time class="faint number" dateTime={at} title={at}>
            {dateWords(Date.parse(at))}
          </time>
        </li>
      ))}
    </ol>
  );
}

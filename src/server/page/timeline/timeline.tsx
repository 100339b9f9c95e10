/** The timeline: who ran what when, beside whom, and who waited for whom. */

import { useComputed, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { addressOf, getJson } from '../api/request.ts';
import type { ClaimsView, TaskPage, Timeline as TimelineData } from '../api/shapes.ts';
import { useLoad } from '../api/use-load.ts';
import { Icon } from '../parts/icon.tsx';
import { Empty, Show } from '../parts/states.tsx';
import { now, setServerTime } from '../shell/clock.ts';
import { useKeys } from '../shell/keys.ts';
import { Board } from './board.tsx';
import { Legend } from './legend.tsx';
import { RunsTable } from './runs-table.tsx';
import { waitersOf } from './waiters.ts';
import { endsOf, LENGTHS, moved, type Window, zoomed } from './window.ts';

const LENGTH_KEY = 'signalbox.timeline';

/** What the view has loaded. */
export interface Loaded {
  readonly timeline: TimelineData;
  readonly claims: ClaimsView;
  readonly blocked: TaskPage;
}

/** The view at `/timeline`. */
export function Timeline() {
  const shown = useSignal<Window>({ lengthMs: keptLength(), until: null });
  const isTable = useSignal(false);
  // What is loaded reaches beyond what is shown, so that panning finds something at once.
  const asked = useComputed(() => {
    const { lengthMs, until } = shown.value;
    return { lengthMs: roundUp(lengthMs * 2), until: until === null ? null : roundUp(until + lengthMs / 2) };
  });
  const key = JSON.stringify(asked.value);
  const loaded = useLoad(key, async (signal) => await load(asked.value, signal), { everyMs: 4_000 });
  const set = (window: Window): void => {
    shown.value = window;
  };
  useEffect(() => keepLength(shown.value.lengthMs), [shown.value.lengthMs]);
  useKeys({
    '+': () => set(zoomed(shown.value, -1, now.value)),
    '-': () => set(zoomed(shown.value, 1, now.value)),
    ArrowLeft: () => set(moved(shown.value, -0.25, now.value)),
    ArrowRight: () => set(moved(shown.value, 0.25, now.value)),
    l: () => set({ ...shown.value, until: null }),
  });
  return (
    <div class="view timeline">
      <Toolbar window={shown.value} set={set} isTable={isTable.value} setTable={(value) => (isTable.value = value)} />
      <Show of={loaded} rows={8}>
        {(data) =>
          data.timeline.workers.length === 0 && data.timeline.runs.length === 0 ? (
            <NoWorkers />
          ) : isTable.value ? (
            <RunsTable runs={data.timeline.runs} />
          ) : (
            <>
              <Board data={data} window={shown.value} setWindow={set} waiters={waitersOf(data)} />
              <Legend />
            </>
          )
        }
      </Show>
    </div>
  );
}

async function load({ lengthMs, until }: Window, signal: AbortSignal): Promise<Loaded> {
  const { from, to } = endsOf({ lengthMs, until }, now.value);
  const query = { since: new Date(from).toISOString(), until: until === null ? undefined : new Date(to).toISOString() };
  const [timeline, claims, blocked] = await Promise.all([
    getJson<TimelineData>(addressOf('/timeline', query), signal),
    getJson<ClaimsView>(addressOf('/claims'), signal),
    getJson<TaskPage>(addressOf('/tasks', { state: 'blocked', limit: 50 }), signal),
  ]);
  setServerTime(Date.parse(timeline.now));
  return { timeline, claims, blocked };
}

interface ToolbarProps {
  readonly window: Window;
  readonly set: (window: Window) => void;
  readonly isTable: boolean;
  readonly setTable: (value: boolean) => void;
}

function Toolbar({ window, set, isTable, setTable }: ToolbarProps) {
  const isLive = window.until === null;
  const tool = (name: 'left' | 'right' | 'plus' | 'minus', label: string, to: () => Window) => (
    <button type="button" class="button is-icon" aria-label={label} title={label} onClick={() => set(to())}>
      <Icon name={name} />
    </button>
  );
  return (
    <div class="toolbar" role="toolbar" aria-label="Time shown">
      <h1>Timeline</h1>
      <div class="segmented" role="group" aria-label="Length">
        {LENGTHS.map(({ name, ms }) => (
          <button
            type="button"
            key={name}
            aria-pressed={window.lengthMs === ms}
            onClick={() => set({ ...window, lengthMs: ms })}
          >
            {name}
          </button>
        ))}
      </div>
      <div class="tools">
        {tool('left', 'Earlier (←)', () => moved(window, -0.5, now.value))}
        {tool('right', 'Later (→)', () => moved(window, 0.5, now.value))}
        {tool('minus', 'Zoom out (-)', () => zoomed(window, 1, now.value))}
        {tool('plus', 'Zoom in (+)', () => zoomed(window, -1, now.value))}
      </div>
      <button
        type="button"
        class={`button live-button ${isLive ? 'is-on' : ''}`}
        aria-pressed={isLive}
        onClick={() => set({ ...window, until: isLive ? now.value : null })}
      >
        <span class="live-dot" aria-hidden="true" />
        Live
      </button>
      <button type="button" class="button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
        As a table
      </button>
    </div>
  );
}

function NoWorkers() {
  return (
    <Empty title="No worker is registered, and nothing ran in this time.">
      <p>
        Start one with <code>signalbox worker --concurrency 2</code>, or all that is needed with{' '}
        <code>signalbox up</code>.
      </p>
    </Empty>
  );
}

/** To two digits: a live window that slides, or one that is dragged, does not load anew at every move. */
function roundUp(ms: number): number {
  const unit = 30_000;
  return Math.ceil(ms / unit) * unit;
}

function keptLength(): number {
  try {
    const kept = Number(localStorage.getItem(LENGTH_KEY));
    return LENGTHS.some(({ ms }) => ms === kept) ? kept : LENGTHS[1].ms;
  } catch {
    return LENGTHS[1].ms;
  }
}

function keepLength(ms: number): void {
  try {
    localStorage.setItem(LENGTH_KEY, String(ms));
  } catch {
    // A browser that keeps nothing begins with the usual length.
  }
}

/** The lanes: their labels, the canvas beside them, and what the pointer is on. */

import { useComputed, useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Branch, Resource, State } from '../parts/chips.tsx';
import { now } from '../shell/clock.ts';
import { go } from '../shell/go.ts';
import { taskPath } from '../shell/route.ts';
import { theme } from '../shell/theme.ts';
import { clockWords, durationWords } from '../words/time.ts';
import { tints } from '../words/tint.ts';
import type { TimelineCanvas } from './canvas.ts';
import { followGestures } from './gestures.ts';
import { Labels } from './labels.tsx';
import { type Bar, lanesOf } from './lanes.ts';
import { AXIS_PX } from './scene.ts';
import type { Loaded } from './timeline.tsx';
import { type Waiter, waitingLanes, waitLines } from './waits.ts';
import { endsOf, type Window, windowOf } from './window.ts';

interface BoardProps {
  readonly data: Loaded;
  readonly waiters: readonly Waiter[];
  readonly window: Window;
  readonly setWindow: (window: Window) => void;
}

interface Hover {
  readonly bar: Bar;
  readonly x: number;
  readonly y: number;
}

/** The timeline's body. */
export function Board({ data, waiters, window, setWindow }: BoardProps) {
  const element = useRef<HTMLDivElement>(null);
  const [canvas, setCanvas] = useState<TimelineCanvas>();
  const hover = useSignal<Hover | undefined>(undefined);
  const chosen = useSignal<string | undefined>(undefined);
  const { workers, runs } = data.timeline;
  const at = now.value;
  const scene = useScene(data.timeline, waiters, at);
  const height = scene.lanes.height + scene.waiting.height;

  useEffect(() => {
    let isGone = false;
    let made: TimelineCanvas | undefined;
    // ECharts is larger than all the rest: it comes when it is first needed.
    void import('./canvas.ts').then(({ TimelineCanvas: Made }) => {
      if (isGone || element.current === null) return;
      made = new Made(element.current, {
        onHover: (news) => {
          hover.value = news;
          chosen.value = news?.bar.run.taskId;
        },
        onOpen: (id) => go(taskPath(id)),
      });
      setCanvas(made);
    });
    return () => {
      isGone = true;
      made?.close();
    };
  }, []);
  useGestures(element, window, (to) => {
    hover.value = undefined;
    setWindow(to);
  });
  // The theme and what is chosen are read here, so that either draws anew.
  const look = useComputed(() => ({ theme: theme.value, chosen: chosen.value })).value;
  useEffect(() => {
    const groups = [...scene.lanes.groups, ...(scene.waiting.height === 0 ? [] : [waitingGroup(scene.waiting.top)])];
    const { bars } = scene.lanes;
    const { lines } = scene;
    canvas?.draw({ bars, lines, groups, height, now: at, chosen: look.chosen, ...endsOf(window, at) });
  }, [canvas, scene, window, look, height, at]);

  return (
    <div class="board">
      <Labels groups={scene.lanes.groups} waiting={scene.waiting} onChoose={(id) => (chosen.value = id)} />
      <div class="board-canvas">
        <div
          ref={(node) => {
            element.current = node;
            if (node !== null) node.style.height = `${height + AXIS_PX}px`;
          }}
          class="board-drawing"
          role="img"
          aria-label={`Timeline of ${runs.length} runs on ${workers.length} workers. “As a table” shows the same in words.`}
        />
        {hover.value !== undefined && <HoverCard hover={hover.value} />}
      </div>
    </div>
  );
}

/** Lets the window follow gestures on the element. */
function useGestures(element: RefObject<HTMLElement | null>, window: Window, onMove: (to: Window) => void): void {
  const latest = useRef({ window, onMove });
  latest.current = { window, onMove };
  useEffect(() => {
    if (element.current === null) return undefined;
    return followGestures(element.current, {
      ends: () => endsOf(latest.current.window, now.value),
      onMove: (ends) => latest.current.onMove(windowOf(ends, now.value)),
    });
  }, []);
}

/** What stands where; anew only when something has changed, or a second has gone by. */
function useScene({ workers, runs }: Loaded['timeline'], waiters: readonly Waiter[], at: number) {
  return useMemo(() => {
    const lanes = lanesOf(workers, runs, at);
    const waiting = waitingLanes(waiters, lanes.height);
    // The oldest have the first choice, so that what comes changes no colour.
    for (const { branch } of runs.toSorted((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt)))
      tints.of(branch);
    return { lanes, waiting, lines: waitLines(lanes.bars, waiting, at) };
  }, [workers, runs, waiters, at]);
}

function waitingGroup(top: number) {
  return { workerId: '', worker: undefined, top, lanes: 0 };
}

const CARD_PX = 300;

function HoverCard({ hover: { bar, x, y } }: { readonly hover: Hover }) {
  const { run, from, to } = bar;
  const place = (node: HTMLDivElement | null): void => {
    if (node === null) return;
    const room = node.parentElement?.clientWidth ?? 0;
    node.style.left = `${Math.max(0, Math.min(x + 14, room - CARD_PX - 8))}px`;
    node.style.top = `${y + 22}px`;
  };
  return (
    <div class="hover-card" ref={place}>
      <p class="hover-title">{run.title}</p>
      <p class="hover-row">
        <State state={run.state} code={run.code} />
        <span class="number">{durationWords(to - from)}</span>
      </p>
      <Branch name={run.branch} />
      <p class="hover-faint">
        {clockWords(from)} – {bar.isRunning ? 'now' : clockWords(to)} · run {run.run} · {run.owner}
      </p>
      <ul class="hover-phases">
        {run.phases.map(({ name, state, durationMs, startedAt }) => (
          <li key={name} class={`is-${state}`}>
            <span>{name}</span>
            <span class="number">{durationWords(durationMs ?? now.value - Date.parse(startedAt))}</span>
          </li>
        ))}
      </ul>
      {run.waits.slice(-3).map((wait) => (
        <p key={wait.from} class="hover-faint">
          waited {durationWords((wait.to === null ? now.value : Date.parse(wait.to)) - Date.parse(wait.from))} for{' '}
          <Resource of={wait.resource} />
        </p>
      ))}
    </div>
  );
}

/** The log of a task, which follows its end until the reader scrolls away from it. */

import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { addressOf } from '../api/request.ts';
import type { TaskView } from '../api/shapes.ts';
import { Icon } from '../parts/icon.tsx';
import { Empty, Failure, Loading } from '../parts/states.tsx';
import { useKeys } from '../shell/keys.ts';
import { countWords, numberWords } from '../words/amount.ts';
import { hasEnded } from '../words/state.ts';
import type { LogLine } from './log-lines.ts';
import { Spans } from './spans.tsx';
import { type LogState, useLog } from './use-log.ts';

/** Nearer to the end than this is at the end. */
const NEAR_PX = 24;

/** The log. */
export function Log({ task }: { readonly task: TaskView }) {
  const { id, state } = task;
  const log = useLog(id, hasEnded(state));
  const follows = useSignal(true);
  const box = useRef<HTMLDivElement>(null);
  useKeys({ f: () => (follows.value = !follows.value) });
  useEffect(() => {
    if (follows.value && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [log.lines, follows.value]);
  if (log.error !== undefined) return <Failure error={log.error} reload={() => location.reload()} />;
  if (log.lines.length === 0) return <NoLines log={log} state={state} />;
  const scrolled = (): void => {
    const { current } = box;
    if (current === null) return;
    follows.value = current.scrollHeight - current.scrollTop - current.clientHeight < NEAR_PX;
  };
  return (
    <div class="log">
      <LogBar id={id} log={log} follows={follows.value} toggle={() => (follows.value = !follows.value)} />
      <div class="log-box" ref={box} onScroll={scrolled} tabIndex={0} role="log" aria-label="Log" aria-live="off">
        {log.dropped > 0 && (
          <p class="log-dropped">
            {countWords(log.dropped, 'earlier line')} not shown: <a href={logAddress(id)}>the whole log</a>
          </p>
        )}
        {log.lines.map((line) => (
          <Line key={line.number} line={line} />
        ))}
      </div>
    </div>
  );
}

interface LogBarProps {
  readonly id: string;
  readonly log: LogState;
  readonly follows: boolean;
  readonly toggle: () => void;
}

const HOW = { loading: 'Loading', following: 'Following', away: 'Reconnecting', whole: 'Complete' } as const;

function LogBar({ id, log, follows, toggle }: LogBarProps) {
  return (
    <div class="log-bar">
      <span class={`log-how is-${log.how}`}>
        <span class="live-dot" aria-hidden="true" />
        {HOW[log.how]}
      </span>
      <span class="faint">{numberWords(log.dropped + log.lines.length)} lines</span>
      <button type="button" class="button is-small" aria-pressed={follows} onClick={toggle}>
        {follows ? 'At its end' : 'Go to its end'}
      </button>
      <a class="button is-small" href={logAddress(id)} download={`${id}.log`}>
        <Icon name="download" />
        Download
      </a>
    </div>
  );
}

/** A line never changes once it has ended: drawn once. */
function Line({ line }: { readonly line: LogLine }) {
  return useMemo(
    () => (
      <div class="log-line">
        <span class="log-number" aria-hidden="true">
          {line.number}
        </span>
        <span class="log-text">
          <Spans spans={line.spans} />
        </span>
      </div>
    ),
    [line],
  );
}

function NoLines({ log, state }: { readonly log: LogState; readonly state: string }) {
  if (log.how === 'loading') return <Loading rows={5} />;
  if (hasEnded(state)) return <Empty title="It left no output." />;
  return (
    <Empty title={state === 'running' ? 'No output yet.' : 'Its output appears here once it runs.'}>
      <p>This follows the log by itself.</p>
    </Empty>
  );
}

function logAddress(id: string): string {
  return addressOf(`/tasks/${encodeURIComponent(id)}/logs`);
}

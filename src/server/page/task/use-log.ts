/** A task's log: read once when the task has ended, followed while it goes on. */

import { useEffect, useState } from 'preact/hooks';
import { addressOf, getText, RequestError } from '../api/request.ts';
import { Stream } from '../api/stream.ts';
import { type LogLine, LogLines } from './log-lines.ts';

/** What is known of a log. */
export interface LogState {
  readonly lines: readonly LogLine[];
  /** Lines at its beginning that are not shown any more. */
  readonly dropped: number;
  /** `following` while more may come; `away` while the dashboard does not answer. */
  readonly how: 'loading' | 'following' | 'away' | 'whole';
  readonly error: RequestError | undefined;
}

/** So many lines can be on the page at once and still scroll well. */
const MOST_LINES = 5_000;
/** What comes in a moment is drawn once. */
const DRAW_MS = 100;

const NOTHING: LogState = { lines: [], dropped: 0, how: 'loading', error: undefined };

/** The log of a task. One that has ended by the time it is first seen is read as a whole. */
export function useLog(id: string, hasEnded: boolean): LogState {
  const [state, setState] = useState<LogState>(NOTHING);
  const [isWhole] = useState(hasEnded);
  useEffect(() => {
    setState(NOTHING);
    return isWhole ? read(id, setState) : follow(id, setState);
  }, [id, isWhole]);
  return state;
}

type Tell = (state: LogState) => void;

function read(id: string, tell: Tell): () => void {
  const stopped = new AbortController();
  getText(addressOf(`/tasks/${encodeURIComponent(id)}/logs`), stopped.signal).then(
    (text) => {
      const log = new LogLines(MOST_LINES);
      log.add(text ?? '');
      tell({ lines: log.all(), dropped: log.dropped, how: 'whole', error: undefined });
    },
    (error: unknown) => {
      if (error instanceof RequestError) tell({ ...NOTHING, how: 'whole', error });
    },
  );
  return () => stopped.abort();
}

function follow(id: string, tell: Tell): () => void {
  let log = new LogLines(MOST_LINES);
  let how: LogState['how'] = 'loading';
  let timer: ReturnType<typeof setTimeout> | undefined;
  const draw = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      tell({ lines: log.all(), dropped: log.dropped, how, error: undefined });
    }, DRAW_MS);
  };
  const on = (source: EventSource, name: string, take: (data: string) => void): void =>
    source.addEventListener(name, (event) => {
      take((event as MessageEvent<string>).data);
      draw();
    });
  const address = addressOf(`/tasks/${encodeURIComponent(id)}/logs`, { follow: 'true' });
  const stream = new Stream(address, document, (source) => {
    on(source, 'open', () => {
      // A new connection tells the log from its beginning.
      log = new LogLines(MOST_LINES);
      how = 'following';
    });
    on(source, 'error', () => {
      if (how !== 'whole') how = 'away';
    });
    on(source, 'log', (data) => log.add((JSON.parse(data) as { readonly text: string }).text));
    on(source, 'run', (data) => {
      const { run } = JSON.parse(data) as { readonly run: number };
      if (run > 1) log.note(`Run ${run} begins.`);
    });
    on(source, 'note', (data) => log.note((JSON.parse(data) as { readonly text: string }).text));
    on(source, 'end', () => {
      how = 'whole';
      stream.close();
    });
  });
  return () => {
    clearTimeout(timer);
    stream.close();
  };
}

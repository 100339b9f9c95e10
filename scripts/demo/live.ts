/** What one sees while the demo runs: on a terminal one line a runner, redrawn; elsewhere a line for each change. */

import logUpdate from 'log-update';
import type { StateChange } from '../../src/client/changes.ts';
import type { Signalbox } from '../../src/client/signalbox.ts';

const EVERY_MS = 120;

/** A view of the running demo. */
export interface Live extends AsyncDisposable {
  /** Is told of each change of state. */
  readonly changed: (change: StateChange) => void;
}

/** What a view shows. */
export interface LiveOptions {
  readonly signalbox: Signalbox;
  /** The short names of the tasks by id. */
  readonly names: ReadonlyMap<string, string>;
  /** How workers are called, by id. */
  readonly workers: ReadonlyMap<string, string>;
  readonly slots: number;
}

/** Lines that stay: for a pipe, a log, or a reader that cannot be redrawn. */
export function plainLines({ names }: LiveOptions, write: (line: string) => void): Live {
  const startedAt = Date.now();
  const changed = ({ id, state }: StateChange): void => {
    const at = ((Date.now() - startedAt) / 1_000).toFixed(1).padStart(5);
    write(`${at} s  ${(names.get(id) ?? id).padEnd(14)} ${state}`);
  };
  return { changed, [Symbol.asyncDispose]: async () => {} };
}

/** A picture of the runners, redrawn several times a second. */
export function redrawn(options: LiveOptions): Live {
  let drawing: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    drawing = drawing.then(() => draw(options)).catch(() => {});
  }, EVERY_MS);
  return {
    changed: () => {},
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await drawing;
      logUpdate.clear();
      logUpdate.done();
    },
  };
}

async function draw({ signalbox, names, workers, slots }: LiveOptions): Promise<void> {
  const [status, claims] = await Promise.all([signalbox.status(), signalbox.claims()]);
  const called = (id: string | null): string => names.get(id ?? '') ?? '';
  const lines = [...workers].flatMap(([id, worker]) => {
    const own = status.runners.filter(({ workerId }) => workerId === id);
    return Array.from({ length: Math.max(slots, own.length) }, (_, i) => {
      const runner = own[i];
      if (runner === undefined) return `${worker}  ·`;
      const held = ((Date.now() - Date.parse(runner.startedAt)) / 1_000).toFixed(1);
      return `${worker}  ▶ ${called(runner.taskId).padEnd(14)} ${(runner.phase ?? '').padEnd(10)} ${held} s`;
    });
  });
  const waiting = claims.waiting.map(
    ({ taskId, resource }) => `   waits: ${called(taskId).padEnd(14)} for ${resource}`,
  );
  logUpdate([...lines, ...waiting, `   finished: ${status.finished} of ${names.size}`].join('\n'));
}

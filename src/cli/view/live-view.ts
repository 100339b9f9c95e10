/**
 * A few lines of a terminal that are drawn again when something changed, and once a second for their clocks. They fit
 * the terminal, also after its size has changed, and the last ones stay when the view is closed.
 */

import { createLogUpdate } from 'log-update';
import { columnsOf } from './columns.ts';

/** The room that lines have: one column and one line less than the terminal, so that nothing wraps or scrolls. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** What a live view shows and where. */
export interface LiveViewOptions {
  readonly stream: NodeJS.WriteStream;
  /** The lines to show now, in that room. A failure leaves the lines of before. */
  readonly render: (size: Size) => Promise<readonly string[]>;
}

/** A view that is drawn. */
export interface LiveView {
  /** Draws soon; many calls in a row are one drawing. */
  readonly refresh: () => void;
  /** Draws a last time and stops; these lines stay. */
  readonly close: () => Promise<void>;
}

/** So that a burst of changes does not flicker. */
const CALM_MS = 100;
const TICK_MS = 1_000;

/** Opens a view and draws it. */
export function openLiveView({ stream, render }: LiveViewOptions): LiveView {
  const log = createLogUpdate(stream);
  let shown: readonly string[] = [];
  let open = true;
  let drawing: Promise<void> | undefined;
  let again = false;
  let soon: NodeJS.Timeout | undefined;
  const show = (lines: readonly string[]): void => {
    shown = lines;
    log(lines.join('\n'));
  };
  const drawNow = async (): Promise<void> => {
    const lines = await render(sizeOf(stream)).catch(() => undefined);
    if (open && lines !== undefined) show(lines);
  };
  const draw = (): void => {
    if (drawing !== undefined) {
      again = true;
      return;
    }
    drawing = drawNow().finally(() => {
      drawing = undefined;
      if (again) refresh();
      again = false;
    });
  };
  const refresh = (): void => {
    soon ??= setTimeout(() => {
      soon = undefined;
      if (open) draw();
    }, CALM_MS);
  };
  // Terminals wrap the lines that they show anew: more rows are to be erased than were drawn.
  const resized = (): void => {
    const rows = shown.reduce((sum, line) => sum + Math.max(1, Math.ceil(columnsOf(line) / stream.columns)), 0);
    if (rows > 0) stream.write(`\r\u001b[${rows}A\u001b[J`);
    log.done();
    shown = [];
    draw();
  };
  stream.on('resize', resized);
  const tick = setInterval(refresh, TICK_MS);
  draw();
  return {
    refresh,
    close: async () => {
      if (!open) return;
      clearInterval(tick);
      clearTimeout(soon);
      stream.removeListener('resize', resized);
      await drawing;
      await drawNow();
      open = false;
      log.done();
    },
  };
}

function sizeOf({ columns = 80, rows = 24 }: { readonly columns?: number; readonly rows?: number }): Size {
  return { width: Math.max(1, columns - 1), height: Math.max(1, rows - 1) };
}

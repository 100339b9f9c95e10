/** A few lines of a terminal that are drawn again when something changed, and once a second for their clocks. */

import { createLogUpdate } from 'log-update';

/** What a live view shows and where. */
export interface LiveViewOptions {
  readonly stream: NodeJS.WriteStream;
  /** The lines to show now. A failure leaves the lines of before. */
  readonly render: () => Promise<readonly string[]>;
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
  const log = createLogUpdate(stream, { showCursor: true });
  let open = true;
  let drawing = false;
  let again = false;
  let soon: NodeJS.Timeout | undefined;
  const draw = async (): Promise<void> => {
    if (drawing) {
      again = true;
      return;
    }
    drawing = true;
    const lines = await render().catch(() => undefined);
    drawing = false;
    if (!open) return;
    if (lines !== undefined) log(lines.join('\n'));
    if (again) refresh();
    again = false;
  };
  const refresh = (): void => {
    soon ??= setTimeout(() => {
      soon = undefined;
      if (open) void draw();
    }, CALM_MS);
  };
  const tick = setInterval(refresh, TICK_MS);
  void draw();
  return {
    refresh,
    close: async () => {
      if (!open) return;
      open = false;
      clearInterval(tick);
      clearTimeout(soon);
      const lines = await render().catch(() => undefined);
      if (lines !== undefined) log(lines.join('\n'));
      log.done();
    },
  };
}

/** The lines from those who waited to those they waited for. Pure. */

import { grouped } from '../grouped.ts';
import { type Bar, HEAD_PX, LANE_PX } from './lanes.ts';

/** A task that waits now and has no run on the screen. */
export interface Waiter {
  readonly taskId: string;
  readonly resource: string;
  readonly since: string;
  readonly holderTaskId: string | null;
  readonly title: string;
  readonly branch: string;
}

/** Somebody's wait: a line in his own lane, and one to the lane of the holder. Times in ms since the epoch. */
export interface WaitLine {
  readonly taskId: string;
  readonly resource: string;
  readonly holderTaskId: string | null;
  readonly from: number;
  readonly to: number;
  readonly isWaiting: boolean;
  /** The upper edge of the waiter's lane. */
  readonly top: number;
  /** The upper edge of the holder's lane; undefined when its run is not on the screen. */
  readonly holderTop: number | undefined;
  /** Which of the holders that are waited for now it is, from 0: their lines stand beside each other. */
  readonly track: number;
}

/** How many who wait now have a lane of their own. */
const MAX_WAITERS = 12;

/** The lanes of those who wait now, below all others. */
export interface WaitingLanes {
  readonly top: number;
  readonly shown: readonly (Waiter & { readonly top: number })[];
  readonly more: number;
  readonly height: number;
}

/** Lanes for those who wait now, beginning at `top`. The longest wait is first; who has a bar needs none. */
export function waitingLanes(waiters: readonly Waiter[], top: number): WaitingLanes {
  const sorted = waiters.toSorted((a, b) => Date.parse(a.since) - Date.parse(b.since));
  const shown = sorted.slice(0, MAX_WAITERS).map((waiter, i) => ({ ...waiter, top: top + HEAD_PX + i * LANE_PX }));
  const height = shown.length === 0 ? 0 : HEAD_PX + shown.length * LANE_PX;
  return { top, shown, more: sorted.length - shown.length, height };
}

/** All lines between these bars and waiting lanes. */
export function waitLines(bars: readonly Bar[], lanes: WaitingLanes, now: number): WaitLine[] {
  const byTask = grouped(bars, ({ run }) => run.taskId);
  const holderTop = (taskId: string | null, at: number): number | undefined =>
    holderBar(byTask.get(taskId ?? '') ?? [], at)?.top;
  const past = bars.flatMap(({ run, from: start, top }) =>
    run.waits.map(({ resource, holderTaskId, from, to }) => {
      const end = to === null ? now : Date.parse(to);
      return {
        taskId: run.taskId,
        resource,
        holderTaskId,
        from: Date.parse(from),
        to: end,
        isWaiting: to === null,
        top,
        holderTop: holderTop(holderTaskId, Math.min(end, Math.max(start, end))),
      };
    }),
  );
  const present = lanes.shown.map(({ taskId, resource, holderTaskId, since, top }) => ({
    taskId,
    resource,
    holderTaskId,
    from: Date.parse(since),
    to: now,
    isWaiting: true,
    top,
    holderTop: holderTop(holderTaskId, now),
  }));
  return withTracks([...past, ...present]);
}

/** Those who wait now end at the same time: a track for each of those they wait for. */
function withTracks(lines: readonly Omit<WaitLine, 'track'>[]): WaitLine[] {
  const holders = [...new Set(lines.filter(({ isWaiting }) => isWaiting).map(({ holderTaskId }) => holderTaskId))];
  return lines.map((line) => ({ ...line, track: line.isWaiting ? holders.indexOf(line.holderTaskId) : 0 }));
}

/** The run of a holder that had begun by then, and began last. */
function holderBar(bars: readonly Bar[], at: number): Bar | undefined {
  return bars.filter(({ from }) => from <= at).toSorted((a, b) => b.from - a.from)[0];
}

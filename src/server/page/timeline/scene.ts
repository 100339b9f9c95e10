/** All that the timeline's canvas is told. */

import type { Bar, Group } from './lanes.ts';
import type { WaitLine } from './waits.ts';

/** Height of the time axis, in px. */
export const AXIS_PX = 30;

/** All that is drawn. */
export interface Scene {
  readonly bars: readonly Bar[];
  readonly lines: readonly WaitLine[];
  readonly groups: readonly Group[];
  readonly height: number;
  readonly from: number;
  readonly to: number;
  readonly now: number;
  /** The task whose bar the pointer is on, or that has the focus. */
  readonly chosen: string | undefined;
}

/** What ECharts offers to a series of one's own, as far as it is used. */
export interface Api {
  readonly value: (dimension: number) => number;
  readonly coord: (point: readonly [number, number]) => readonly number[];
}

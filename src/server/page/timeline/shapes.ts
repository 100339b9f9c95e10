/** What a run and a wait look like on the canvas. */

import { tints } from '../words/tint.ts';
import { type Colours, colours } from './colours.ts';
import { type Bar, LANE_PX, segmentsOf } from './lanes.ts';
import { type Api, AXIS_PX, type Scene } from './scene.ts';
import type { WaitLine } from './waits.ts';

const BAR_PX = LANE_PX - 8;
/** A run of a moment can still be seen and hit. */
const LEAST_PX = 3;
/** Narrower bars have no title. */
const TITLE_PX = 36;

/** How strongly each phase is filled: what the task is for stands out from what is around it. */
const STRENGTH: Readonly<Record<string, number>> = {
  prepare: 0.4,
  implement: 1,
  test: 0.7,
  publish: 0.45,
  archive: 0.3,
};

/** A run: its phases as parts of a bar in its branch's colour, with its title. */
export function barShape(scene: Scene, bar: Bar | undefined, api: Api) {
  if (bar === undefined) return null;
  const paint = colours();
  const tint = tints.of(bar.run.branch);
  const { x, y, width } = boxOf(bar, api);
  const edge = paint.edges[tint] ?? paint.ink;
  const isDim = scene.chosen !== undefined && !isPartOf(scene, bar.run.taskId);
  const parts = segmentsOf(bar).map(({ name, from, to }) => {
    const [left = 0] = api.coord([from, bar.top]);
    const [right = 0] = api.coord([to, bar.top]);
    return rect({
      x: Math.max(x, left),
      y,
      width: right - left,
      fill: paint.fills[tint],
      opacity: STRENGTH[name] ?? 0.7,
    });
  });
  return {
    type: 'group',
    children: [
      // Below its parts, which let it through.
      { ...rect({ x, y, width, fill: paint.surface, opacity: 1 }), shape: rounded(x, y, width) },
      ...(parts.length === 0 ? [rect({ x, y, width, fill: paint.fills[tint], opacity: 0.7 })] : parts),
      rect({ x, y, width: Math.min(width, 3), fill: edge, opacity: 1 }),
      ...endMark(bar, { x, y, width }, paint),
      outline(scene, bar, { x, y, width }),
      ...title(bar, { x, y, width }, paint),
      ...(isDim ? [rect({ x, y, width, fill: paint.surface, opacity: 0.6 })] : []),
    ],
  };
}

/** A wait: a thin line in the waiter's lane, and one to the lane of whoever had what it waited for. */
export function waitShape(scene: Scene, line: WaitLine | undefined, api: Api) {
  if (line === undefined) return null;
  const paint = colours();
  const [start = 0] = api.coord([line.from, line.top]);
  const [end = 0] = api.coord([line.to, line.top]);
  const y = line.top + LANE_PX / 2 + AXIS_PX;
  const opacity = opacityOf(scene, line);
  const lineWidth = opacity === 1 && scene.chosen !== undefined ? 2 : 1;
  const style = { stroke: paint.wait, lineWidth, opacity, fill: 'none' };
  const dot = (cx: number, cy: number) => ({
    type: 'circle',
    shape: { cx, cy, r: 2.5 },
    style: { fill: paint.wait, opacity },
  });
  const { holderTop } = line;
  const own = { type: 'line', shape: { x1: start, y1: y, x2: end, y2: y }, style: { ...style, lineDash: [3, 3] } };
  if (holderTop === undefined || holderTop === line.top) return { type: 'group', children: [own, dot(start, y)] };
  const x = line.isWaiting ? Math.max(start + 2, end - TRACK_PX * (line.track + 1)) : end;
  const holderY = holderTop + AXIS_PX + (holderTop < line.top ? LANE_PX - 4 : 4);
  const across = { type: 'line', shape: { x1: x, y1: y, x2: x, y2: holderY }, style };
  return { type: 'group', children: [own, across, dot(start, y), dot(x, y), dot(x, holderY)] };
}

/** Between the lines to those who are waited for now. */
const TRACK_PX = 8;

function opacityOf({ chosen }: Scene, { taskId, holderTaskId, isWaiting }: WaitLine): number {
  if (chosen === undefined) return isWaiting ? 0.95 : 0.6;
  return chosen === taskId || chosen === holderTaskId ? 1 : 0.15;
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

function boxOf({ from, to, top }: Bar, api: Api): Box {
  const [left = 0] = api.coord([from, top]);
  const [right = 0] = api.coord([to, top]);
  return { x: left, y: top + (LANE_PX - BAR_PX) / 2 + AXIS_PX, width: Math.max(LEAST_PX, right - left) };
}

function rect({ x, y, width, fill, opacity }: Box & { readonly fill: string | undefined; readonly opacity: number }) {
  return { type: 'rect', shape: { x, y, width: Math.max(0, width), height: BAR_PX }, style: { fill, opacity } };
}

function rounded(x: number, y: number, width: number) {
  return { x, y, width, height: BAR_PX, r: 3 };
}

/** A run that failed ends in red; one that was stopped, in a hollow. */
function endMark({ run, isRunning }: Bar, { x, y, width }: Box, paint: Colours) {
  if (isRunning || run.state === 'succeeded') return [];
  if (run.state !== 'failed') return [];
  const mark = Math.min(width, 4);
  return [rect({ x: x + width - mark, y, width: mark, fill: paint.failed, opacity: 1 })];
}

/** Its outline; open at the right while it runs. */
function outline(scene: Scene, { run, isRunning }: Bar, { x, y, width }: Box) {
  const paint = colours();
  const isChosen = scene.chosen === run.taskId;
  const style = {
    fill: 'none',
    stroke: run.state === 'failed' ? paint.failed : paint.edges[tints.of(run.branch)],
    lineWidth: isChosen ? 2 : 1,
    opacity: isChosen ? 1 : 0.55,
    ...(run.state === 'cancelled' || run.state === 'skipped' ? { lineDash: [3, 2] } : {}),
  };
  if (!isRunning) return { type: 'rect', shape: rounded(x, y, width), style };
  const points = [
    [x + width, y],
    [x, y],
    [x, y + BAR_PX],
    [x + width, y + BAR_PX],
  ];
  return { type: 'polyline', shape: { points }, style };
}

/** Its title where the bar has room; at the screen's left edge when the bar began before it. */
function title({ run }: Bar, { x, y, width }: Box, paint: Colours) {
  const left = Math.max(x, 0);
  const room = x + width - left - 12;
  if (room < TITLE_PX) return [];
  return [
    {
      type: 'text',
      silent: true,
      style: {
        text: run.title,
        x: left + 8,
        y: y + BAR_PX / 2,
        textVerticalAlign: 'middle',
        fill: paint.ink,
        font: `500 11.5px ${paint.font}`,
        width: room,
        overflow: 'truncate',
        ellipsis: '…',
      },
    },
  ];
}

/** Whether a task is the chosen one, or has to do with its waits. */
function isPartOf({ chosen, lines }: Scene, taskId: string): boolean {
  return (
    taskId === chosen ||
    lines.some(
      (line) =>
        (line.taskId === chosen && line.holderTaskId === taskId) ||
        (line.holderTaskId === chosen && line.taskId === taskId),
    )
  );
}

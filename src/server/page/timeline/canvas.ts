/** The timeline's canvas: ECharts with two series of our own, one of waits and one of runs. */

import { CustomChart } from 'echarts/charts';
import { GridComponent } from 'echarts/components';
import { type ECharts, init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { colours } from './colours.ts';
import type { Bar } from './lanes.ts';
import { type Api, AXIS_PX, type Scene } from './scene.ts';
import { barShape, waitShape } from './shapes.ts';
import { tickStep, ticksOf, tickWords } from './ticks.ts';

use([CustomChart, GridComponent, CanvasRenderer]);

const TICK_PX = 96;
const EDGE_PX = 28;

/** What the canvas tells. */
export interface CanvasEvents {
  readonly onHover: (hover: { readonly bar: Bar; readonly x: number; readonly y: number } | undefined) => void;
  readonly onOpen: (taskId: string) => void;
}

/** Draws the timeline on an element. Call `close` when that goes away. */
export class TimelineCanvas {
  readonly #chart: ECharts;
  readonly #resizing: ResizeObserver;
  #scene: Scene | undefined;

  constructor(element: HTMLElement, { onHover, onOpen }: CanvasEvents) {
    this.#chart = init(element, null, { renderer: 'canvas' });
    this.#resizing = new ResizeObserver(() => {
      this.#chart.resize();
      if (this.#scene !== undefined) this.draw(this.#scene);
    });
    this.#resizing.observe(element);
    const barOf = (index: number | undefined): Bar | undefined => this.#scene?.bars[index ?? -1];
    this.#chart.on('mouseover', { seriesName: 'runs' }, ({ dataIndex, event }) => {
      const bar = barOf(dataIndex);
      if (bar !== undefined) onHover({ bar, x: event?.offsetX ?? 0, y: event?.offsetY ?? 0 });
    });
    this.#chart.on('mouseout', { seriesName: 'runs' }, () => onHover(undefined));
    this.#chart.on('click', { seriesName: 'runs' }, ({ dataIndex }) => {
      const bar = barOf(dataIndex);
      if (bar !== undefined) onOpen(bar.run.taskId);
    });
  }

  /** Draws a scene in place of the last one. */
  draw(scene: Scene): void {
    this.#scene = scene;
    this.#chart.setOption(optionOf(scene, this.#chart.getWidth()), { replaceMerge: ['series'], silent: true });
  }

  close(): void {
    this.#resizing.disconnect();
    this.#chart.dispose();
  }
}

function optionOf(scene: Scene, width: number) {
  const paint = colours();
  const { from, to, height } = scene;
  const length = to - from;
  const most = Math.max(2, Math.floor(width / TICK_PX));
  const step = tickStep(length, most);
  const ticks = ticksOf({ from, to }, most);
  const edge = (length * EDGE_PX) / Math.max(1, width);
  return {
    animation: false,
    grid: { left: 0, right: 0, top: AXIS_PX, bottom: 0 },
    xAxis: {
      type: 'value',
      position: 'top',
      min: from,
      max: to,
      axisLine: { show: false },
      axisTick: { show: false, customValues: ticks },
      axisLabel: {
        customValues: ticks,
        // One at an edge would be cut.
        formatter: (at: number) => (at - from < edge || to - at < edge ? '' : tickWords(at, step)),
        color: paint.faint,
        fontSize: 11,
        fontFamily: paint.font,
        hideOverlap: true,
      },
      splitLine: { show: false },
    },
    yAxis: { type: 'value', inverse: true, min: 0, max: Math.max(1, height), show: false },
    series: [gridSeries(scene, ticks, width), ...sceneSeries(scene)],
  };
}

/** Lines at the marks and above each worker, and one at now. */
function gridSeries({ groups, from, now, height }: Scene, ticks: readonly number[], width: number) {
  const paint = colours();
  return {
    name: 'grid',
    type: 'custom',
    silent: true,
    data: [...ticks.map((at) => [at, 0]), ...groups.map(({ top }) => [from, top]), [now, 0]],
    renderItem: ({ dataIndex }: { dataIndex: number }, api: Api) => {
      const [x = 0, y = 0] = api.coord([api.value(0), api.value(1)]);
      const isNow = dataIndex === ticks.length + groups.length;
      if (dataIndex >= ticks.length && !isNow) {
        return { type: 'rect', shape: { x: 0, y, width, height: 1 }, style: { fill: paint.line } };
      }
      const stroke = isNow ? paint.now : paint.grid;
      const shape = { x1: x, y1: AXIS_PX - 4, x2: x, y2: height + AXIS_PX };
      return { type: 'line', shape, style: { stroke, lineWidth: 1 } };
    },
  };
}

/** Waits, and above them runs. */
function sceneSeries(scene: Scene) {
  const { bars, lines } = scene;
  return [
    {
      name: 'waits',
      type: 'custom',
      silent: true,
      clip: true,
      data: lines.map(({ from, top }) => [from, top]),
      renderItem: ({ dataIndex }: { dataIndex: number }, api: Api) => waitShape(scene, lines[dataIndex], api),
    },
    {
      name: 'runs',
      type: 'custom',
      clip: true,
      data: bars.map(({ from, top }) => [from, top]),
      renderItem: ({ dataIndex }: { dataIndex: number }, api: Api) => barShape(scene, bars[dataIndex], api),
    },
  ];
}

/** A tree map on a canvas, by ECharts. */

import { TreemapChart } from 'echarts/charts';
import { type ECharts, init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { colour } from '../shell/theme.ts';
import type { TreeNode } from './tree.ts';

use([TreemapChart, CanvasRenderer]);

/** How deep it shows at once; a click goes into a folder. */
const DEPTH = 3;

/** Draws a map on an element. Call `close` when that goes away. */
export class HeatMap {
  readonly #chart: ECharts;
  readonly #resizing: ResizeObserver;
  #words: (amount: number) => string = String;

  /** `onChoose` is told what the pointer is on, in words. */
  constructor(element: HTMLElement, onChoose: (words: string | undefined) => void) {
    this.#chart = init(element, null, { renderer: 'canvas' });
    this.#resizing = new ResizeObserver(() => this.#chart.resize());
    this.#resizing.observe(element);
    this.#chart.on('mouseover', ({ data }) => {
      const node = data as Partial<TreeNode> | undefined;
      if (node?.path !== undefined) onChoose(`${node.path}: ${this.#words(node.value ?? 0)}`);
    });
    this.#chart.on('mouseout', () => onChoose(undefined));
  }

  /** Draws this in place of the last. */
  draw(tree: readonly TreeNode[], words: (amount: number) => string): void {
    this.#words = words;
    this.#chart.setOption({ series: [seriesOf(tree, words)] }, { notMerge: true });
  }

  close(): void {
    this.#resizing.disconnect();
    this.#chart.dispose();
  }
}

function seriesOf(tree: readonly TreeNode[], words: (amount: number) => string) {
  const most = hottest(tree);
  const ink = colour('ink');
  const surface = colour('surface');
  const font = colour('sans');
  return {
    type: 'treemap',
    name: 'all',
    data: tree.map((node) => coloured(node, most)),
    animation: false,
    roam: false,
    nodeClick: 'zoomToNode',
    leafDepth: DEPTH,
    left: 0,
    right: 0,
    top: 0,
    bottom: 34,
    breadcrumb: {
      left: 0,
      bottom: 4,
      height: 22,
      itemStyle: { color: colour('raised'), borderColor: colour('line'), textStyle: { color: ink, fontSize: 12 } },
      emphasis: { itemStyle: { color: colour('hover'), textStyle: { color: ink } } },
    },
    label: {
      show: true,
      color: ink,
      position: [9, 8],
      overflow: 'truncate',
      formatter: ({ name, value }: { name: string; value: number }) => `{name|${plain(name)}}\n{value|${words(value)}}`,
      rich: {
        name: { fontFamily: font, fontSize: 12, fontWeight: 600, lineHeight: 17, color: ink },
        value: { fontFamily: font, fontSize: 12, lineHeight: 17, color: ink },
      },
    },
    upperLabel: {
      show: true,
      height: 24,
      color: ink,
      fontFamily: font,
      fontSize: 12,
      fontWeight: 600,
      padding: [0, 0, 0, 8],
      formatter: ({ name, value }: { name: string; value: number }) => `${name}   ${words(value)}`,
    },
    itemStyle: { borderColor: surface, borderWidth: 0, gapWidth: 3, borderRadius: 4 },
    emphasis: { itemStyle: { borderColor: colour('accent') }, upperLabel: { color: ink } },
    levels: [
      { itemStyle: { gapWidth: 4 }, upperLabel: { show: false } },
      { itemStyle: { borderWidth: 3, gapWidth: 3 } },
      { itemStyle: { borderWidth: 3, gapWidth: 3 } },
    ],
  };
}

interface Drawn extends TreeNode {
  readonly itemStyle: { readonly color: string; readonly borderColor?: string };
  readonly children: Drawn[];
}

/** The hotter, the nearer to red; folders are frames without a colour of their own. */
function coloured(node: TreeNode, most: number): Drawn {
  const level = Math.min(5, Math.max(1, Math.ceil((node.value / most) * 5)));
  const isFolder = node.children.length > 0;
  const color = colour(isFolder ? 'raised' : `heat-${level}`);
  return {
    ...node,
    itemStyle: { color, ...(isFolder ? { borderColor: color } : {}) },
    children: node.children.map((child) => coloured(child, most)),
  };
}

/** The most of any one thing. */
function hottest(nodes: readonly TreeNode[]): number {
  return Math.max(1, ...nodes.map(({ value, children }) => (children.length === 0 ? value : hottest(children))));
}

/** Braces would be read as a style. */
function plain(name: string): string {
  return name.replace(/[{}|]/g, '_');
}

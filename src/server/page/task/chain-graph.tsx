/** The chain of who waits for whom, drawn. */

import { addressOf, getJson } from '../api/request.ts';
import type { ChainLink, TaskView } from '../api/shapes.ts';
import { useLoad } from '../api/use-load.ts';
import { taskPath } from '../shell/route.ts';
import { resourceParts, shortId } from '../words/amount.ts';
import { kindWords } from '../words/state.ts';
import { tints } from '../words/tint.ts';
import { type ChainEdge, type ChainNode, chainLayout } from './chain.ts';

const NODE = { width: 148, height: 40 };
const GAP = { x: 118, y: 16 };
const LETTERS = 20;

interface ChainGraphProps {
  readonly chain: readonly ChainLink[];
  readonly self: string;
}

/** Boxes for tasks, arrows from those who wait to those they wait for. */
export function ChainGraph({ chain, self }: ChainGraphProps) {
  const { nodes, edges, columns, rows } = chainLayout(chain);
  const ids = nodes.map(({ id }) => id).filter((id) => id.startsWith('t'));
  const tasks = useLoad(`chain ${ids.join(' ')}`, async (signal) => await loadTasks(ids, signal), {
    at: ({ id }) => ids.includes(id),
  });
  const width = columns * NODE.width + (columns - 1) * GAP.x;
  const height = rows * NODE.height + (rows - 1) * GAP.y;
  const words = chain.map(
    ({ taskId, resource, kind, holderTaskId }) =>
      `${shortId(taskId)} waits for ${resource}, ${kindWords(kind)} ${shortId(holderTaskId ?? '?')}`,
  );
  return (
    <figure class="chain">
      <figcaption>Who waits for whom</figcaption>
      <div class="chain-scroll">
        <svg
          viewBox={`-2 -2 ${width + 4} ${height + 4}`}
          width={width + 4}
          height={height + 4}
          role="img"
          aria-label={words.join('; ')}
        >
          <defs>
            <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
              <path d="M0 0.5 7.5 4 0 7.5z" class="chain-arrow" />
            </marker>
          </defs>
          {edges.map((edge) => (
            <Edge key={`${edge.from.id} ${edge.to.id} ${edge.link.resource}`} edge={edge} />
          ))}
          {nodes.map((node) => (
            <Box key={node.id} node={node} task={tasks.data?.get(node.id)} isSelf={node.id === self} />
          ))}
        </svg>
      </div>
    </figure>
  );
}

async function loadTasks(ids: readonly string[], signal: AbortSignal): Promise<Map<string, TaskView>> {
  const found = await Promise.all(
    ids.map(
      async (id) =>
        await getJson<TaskView>(addressOf(`/tasks/${encodeURIComponent(id)}`), signal).catch(() => undefined),
    ),
  );
  return new Map(found.flatMap((task) => (task === undefined ? [] : [[task.id, task] as const])));
}

function Edge({ edge: { from, to, link } }: { readonly edge: ChainEdge }) {
  const start = { x: leftOf(from) + NODE.width, y: topOf(from) + NODE.height / 2 };
  const end = { x: leftOf(to) - 2, y: topOf(to) + NODE.height / 2 };
  const middle = (start.x + end.x) / 2;
  const isBack = end.x <= start.x;
  const path = isBack
    ? `M${start.x} ${start.y}h10`
    : `M${start.x} ${start.y}C${middle} ${start.y} ${middle} ${end.y} ${end.x} ${end.y}`;
  return (
    <g class={`chain-edge is-${link.kind}`}>
      <path d={path} marker-end="url(#arrow)" />
      {!isBack && (
        <text x={middle} y={(start.y + end.y) / 2 - 6}>
          <title>{link.resource}</title>
          {cut(resourceParts(link.resource)[1], 16)}
        </text>
      )}
    </g>
  );
}

function Box({
  node,
  task,
  isSelf,
}: {
  readonly node: ChainNode;
  readonly task: TaskView | undefined;
  readonly isSelf: boolean;
}) {
  const x = leftOf(node);
  const y = topOf(node);
  const tint = task === undefined ? 0 : tints.of(task.branch);
  const box = (
    <>
      <title>{task?.title ?? node.id}</title>
      <rect x={x} y={y} width={NODE.width} height={NODE.height} rx="6" class="chain-box" />
      {task !== undefined && (
        <rect x={x} y={y + 6} width="3" height={NODE.height - 12} rx="1.5" class={`chain-tint tint-${tint}`} />
      )}
      <text x={x + 12} y={y + 17} class="chain-title">
        {cut(task?.title ?? shortId(node.id), LETTERS)}
      </text>
      <text x={x + 12} y={y + 31} class="chain-state">
        {isSelf ? 'this task' : (task?.state ?? (node.id === '?' ? 'unknown' : 'a program'))}
      </text>
    </>
  );
  if (task === undefined || isSelf) return <g class={`chain-node ${isSelf ? 'is-self' : ''}`}>{box}</g>;
  return (
    <a href={taskPath(node.id)} class="chain-node" aria-label={task.title}>
      {box}
    </a>
  );
}

function leftOf({ column }: ChainNode): number {
  return column * (NODE.width + GAP.x);
}

function topOf({ row }: ChainNode): number {
  return row * (NODE.height + GAP.y);
}

function cut(text: string, letters: number): string {
  return text.length <= letters ? text : `${text.slice(0, letters - 1)}…`;
}

/** `signalbox explain`: why a task waits, or how it ended. */

import type { Explanation } from '../../client/explain.ts';
import type { Blocker, ChainLink } from '../../client/standing.ts';
import { command } from '../command.ts';
import { agoText, countText, fields, indent, stateText, table } from '../format.ts';
import type { Output } from '../output.ts';

/** How many of those ahead are named; `--json` has them all. */
const AHEAD_SHOWN = 5;

/** Explains one task. */
export const explain = command({
  name: 'explain <id>',
  summary: 'say why a task waits, or how it ended and what to do',
  json: `{id,state,summary,blockedBy:[{resource,mode,holder:{kind,taskId,runnerId,workerId,since}}],position,
ahead:[id],chain:[{taskId,resource,mode,kind,holderTaskId,since}],estimatedStartAt,next}`,
  examples: ['signalbox explain ID', 'signalbox explain ID --json'],
  run: async ({ args, out, connect }) => {
    await using box = await connect();
    const explanation = await box.explain(args[0] ?? '');
    out.data(explanation, () => pageOf(explanation, out));
    return undefined;
  },
});

function pageOf(explanation: Explanation, { paint }: Output): string {
  const { id, state, summary, blockedBy, position, ahead, chain, estimatedStartAt, next } = explanation;
  const more = ahead.length - AHEAD_SHOWN;
  const page = fields(paint, [
    ['task', id],
    ['state', stateText(paint, state)],
    ['why', summary],
    ['place', position === null ? null : String(position)],
    ['ahead', `${ahead.slice(0, AHEAD_SHOWN).join(' ')}${more > 0 ? ` and ${countText(more, 'other')}` : ''}`],
    ['start', estimatedStartAt === null ? null : agoText(estimatedStartAt)],
    ['next', next],
  ]);
  if (blockedBy.length === 0) return page;
  const tables = [
    table(paint, ['blocked by', 'mode', 'who', 'since'], blockedBy.map(blockerRow)),
    // The first link is the first of the table above.
    ...(chain.length < 2 ? [] : [table(paint, ['in turn', 'waits for', 'who has it'], chain.slice(1).map(linkRow))]),
  ];
  return [page, ...tables.map((text) => indent(text))].join('\n\n');
}

function blockerRow({ resource, mode, holder }: Blocker): string[] {
  const { kind, taskId, runnerId, since } = holder;
  const who = taskId ?? runnerId ?? 'unknown';
  return [resource, mode, kind === 'run' ? who : `${who} (${kind})`, since === null ? '' : agoText(since)];
}

function linkRow({ taskId, resource, kind, holderTaskId }: ChainLink): string[] {
  const who = holderTaskId ?? 'unknown';
  return [taskId, resource, kind === 'run' ? who : `${who} (${kind})`];
}

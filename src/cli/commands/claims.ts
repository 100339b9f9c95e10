/** `signalbox claims`: what is held and who waits for it, and what waiting has cost. */

import type { ClaimsView } from '../../client/claims-view.ts';
import type { HotView } from '../../client/hot.ts';
import { command } from '../command.ts';
import { agoText, durationText, table } from '../format.ts';
import type { Output } from '../output.ts';
import { wholeNumber } from '../values.ts';
import { release } from './claims-release.ts';

interface ClaimsOptions {
  readonly repo?: string;
  readonly hot?: boolean;
  readonly limit?: number;
}

/** Shows held claims and those in line for them, or what waiting for them has cost. */
export const claims = command<ClaimsOptions>({
  name: 'claims',
  summary: 'show what is held, by whom, and who waits for it',
  details: `\`resource\` is branch:NAME, path:PATH (path:. is the whole repository), resource:NAME, owner:NAME or spec:NAME;
\`mode\` is write, read or slot.

With --hot it shows which resources the kept tasks have waited for longest in all. \`finerClaimMs\` is how much of
that would not have been, had the holders claimed only the files that they changed in the end: what was waited by
tasks that claim none of these files. The JSON is then
{hot:[{repo,resource,waitMs,waits,tasks,longestMs,byOwner,finerClaimMs}]}.`,
  json: `{held:[{repo,resource,mode,taskId,runnerId,workerId,since}],
waiting:[{taskId,resource,position,since,passedOver,holder}]}`,
  examples: ['signalbox claims', 'signalbox claims --repo .', 'signalbox claims --hot', 'signalbox claims --json'],
  commands: [release],
  options: (made) =>
    made
      .option('--repo <repo>', 'only those on this repository: an address or a path')
      .option('--hot', 'what waiting has cost, by resource')
      .option('--limit <n>', 'with --hot: at most so many resources (default: 20)', wholeNumber(1)),
  run: async ({ options, out, connect }) => {
    const { repo, hot, limit } = options;
    await using box = await connect();
    if (hot === true) {
      const view = await box.hot({
        ...(repo === undefined ? {} : { repo }),
        ...(limit === undefined ? {} : { limit }),
      });
      out.data(view, () => hotPage(view, out));
      if (!out.json && view.hot.length === 0) out.note('No task that is kept has waited for anything.');
      return undefined;
    }
    const view = await box.claims(repo);
    out.data(view, () => pageOf(view, out));
    if (!out.json && view.held.length + view.waiting.length === 0) out.note('Nothing is held and nobody waits.');
    return undefined;
  },
});

function pageOf({ held, waiting }: ClaimsView, { paint }: Output): string {
  const heldRows = held.map(({ repo, resource, mode, taskId, runnerId, since }) => [
    resource,
    mode,
    taskId ?? runnerId,
    agoText(since).replace(/ ago$/, ''),
    repo,
  ]);
  const waitingRows = waiting.map(({ taskId, resource, position, since, passedOver }) => [
    taskId,
    resource,
    String(position),
    agoText(since).replace(/ ago$/, ''),
    String(passedOver),
  ]);
  return [
    ...(held.length === 0 ? [] : [table(paint, ['held', 'mode', 'by', 'for', 'repo'], heldRows)]),
    ...(waiting.length === 0
      ? []
      : [table(paint, ['waiting', 'for what', 'place', 'for', 'passed over'], waitingRows)]),
  ].join('\n\n');
}

function hotPage({ hot }: HotView, { paint }: Output): string {
  if (hot.length === 0) return '';
  const rows = hot.map(({ repo, resource, waitMs, waits, tasks, longestMs, finerClaimMs }) => [
    resource,
    durationText(waitMs),
    String(waits),
    String(tasks),
    durationText(longestMs),
    durationText(finerClaimMs),
    repo,
  ]);
  return table(paint, ['resource', 'waited', 'times', 'tasks', 'longest', 'saved by finer claims', 'repo'], rows);
}

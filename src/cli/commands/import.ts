/** `signalbox import`: takes the tasks of an export into the queue. */

import { importQueue } from '../../client/import.ts';
import { command } from '../command.ts';
import { countText } from '../format.ts';
import { readInput } from '../submit/sources.ts';

/** Reads JSON lines from a file or from stdin. */
export const importTasks = command<object>({
  name: 'import [file]',
  summary: 'take the tasks of an `export` into this queue, from a file or stdin',
  details: `For a Redis that has lost its data, or for another one. Tasks keep their ids, what they depend on, their
idempotency keys and the attempts that were used up. The file is checked whole before anything is taken; what this
queue has already is left as it is, so that an import may be done again. Limits that are not set here are taken over.

Let no worker run the same tasks from the old Redis meanwhile: \`publish: push\` and \`land\` would still publish once,
but their steps would run twice. Signed tasks need a queue of the same name and the same key.`,
  json: '{tasks:[{id,state,duplicate}],kept:[{runnerId,duplicate}]}',
  examples: ['signalbox import tasks.jsonl', 'gunzip -c tasks.jsonl.gz | signalbox import'],
  run: async ({ args, out, connect }) => {
    const text = await readInput(args[0] ?? '-', process.cwd());
    await using box = await connect();
    const { tasks, kept } = await importQueue(box.queue, text);
    const fresh = tasks.filter(({ duplicate }) => !duplicate).length;
    const claims = kept.filter(({ duplicate }) => !duplicate).length;
    const words = [
      `${countText(fresh, 'task')} imported`,
      ...(fresh === tasks.length ? [] : [`${tasks.length - fresh} of the file left as they are here`]),
      ...(claims === 0 ? [] : [`${countText(claims, 'claim')} kept until a merge`]),
    ];
    out.data({ tasks, kept }, () => words.join('; '));
    return undefined;
  },
});

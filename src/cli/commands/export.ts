/** `signalbox export`: writes the tasks that have not ended to a file that `import` takes. */

import { rename, writeFile } from 'node:fs/promises';
import { exportQueue } from '../../client/export.ts';
import { command } from '../command.ts';
import { countText } from '../format.ts';

/** Writes JSON lines to a file or to stdout. */
export const exportTasks = command<object>({
  name: 'export [file]',
  summary: 'write all tasks that have not ended to a file or stdout, for `import`',
  details: `One JSON value a line: first what the file holds, then each task, and each claim that is kept until a merge.
Tasks keep their ids, so that one that is published meanwhile is not published again. One that runs is written as one
that waits. Finished tasks are left out, but for those that another one builds upon.

The file holds what was submitted, variables in \`env\` too; only its owner may read it. Nothing is changed. With --json
and a file the answer is as below; without a file stdout has the lines.`,
  json: '{file,tasks,kept} (counts)',
  examples: ['signalbox export tasks.jsonl', 'signalbox export | gzip > tasks.jsonl.gz'],
  run: async ({ args, out, connect }) => {
    await using box = await connect();
    const { lines, tasks, kept } = await exportQueue(box.queue);
    const text = `${lines.join('\n')}\n`;
    const [file] = args;
    if (file === undefined || file === '-') {
      out.raw(text);
      return undefined;
    }
    await writeFile(`${file}.new`, text, { mode: 0o600 });
    await rename(`${file}.new`, file);
    const kinds = [countText(tasks, 'task'), ...(kept === 0 ? [] : [countText(kept, 'kept claim')])];
    out.data({ file, tasks, kept }, () => `${kinds.join(' and ')} written to ${file}`);
    return undefined;
  },
});

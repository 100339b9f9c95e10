/** `signalbox list`: the tasks that are kept. */

import { Option } from 'commander';
import { STATES, type TaskState } from '../../task/states.ts';
import { command } from '../command.ts';
import { clip, countText, stateText, table } from '../format.ts';
import { wholeNumber } from '../values.ts';

interface ListOptions {
  readonly state?: TaskState;
  readonly owner?: string;
  readonly repo?: string;
  readonly limit?: number;
}

/** What the other columns take, and the least that a title gets. */
const OTHER_COLUMNS = 95;
const LEAST_TITLE = 20;

/** Lists tasks, newest first. */
export const list = command<ListOptions>({
  name: 'list',
  summary: 'list the tasks that are kept, newest first',
  details: 'Finished tasks are kept up to the option `historyLimit`.',
  json: '{tasks:[{id,state,code,title,branch,owner,priority,attempts}]}',
  examples: ['signalbox list', 'signalbox list --state blocked', 'signalbox list --repo . --limit 20 --json'],
  options: (made) =>
    made
      .addOption(new Option('--state <state>', 'only tasks in this state').choices(STATES))
      .option('--owner <name>', 'only tasks of this owner')
      .option('--repo <repo>', 'only tasks on this repository: an address or a path')
      .option('--limit <n>', 'at most so many', wholeNumber(1)),
  run: async ({ options, out, connect }) => {
    const { state, owner, repo, limit } = options;
    await using box = await connect();
    const tasks = await box.list({
      ...(state === undefined ? {} : { state }),
      ...(owner === undefined ? {} : { owner }),
      ...(repo === undefined ? {} : { repo }),
      ...(limit === undefined ? {} : { limit }),
    });
    out.data({ tasks }, () => {
      const titleWidth = Math.max(LEAST_TITLE, Math.min(60, out.width - OTHER_COLUMNS));
      const rows = tasks.map((task) => [
        task.id,
        stateText(out.paint, task.state, task.code),
        clip(task.title, titleWidth),
        task.branch,
        task.owner,
      ]);
      return tasks.length === 0 ? '' : table(out.paint, ['id', 'state', 'title', 'branch', 'owner'], rows);
    });
    if (!out.json) out.note(tasks.length === 0 ? 'No tasks.' : out.paintNote('dim', countText(tasks.length, 'task')));
    return undefined;
  },
});

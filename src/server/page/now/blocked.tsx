/** What waits, for what, and who has it. */

import { cancelTask } from '../parts/act.ts';
import { Branch, Resource, Since, TaskLink } from '../parts/chips.tsx';
import { Icon } from '../parts/icon.tsx';
import { Empty, Panel } from '../parts/states.tsx';
import { mayWrite } from '../shell/me.ts';
import { countWords, shortId } from '../words/amount.ts';
import { kindWords } from '../words/state.ts';
import type { Lists } from './now.tsx';

type Waiting = Lists['claims']['waiting'][number];

const SHOWN = 30;

/** A row for each task in line; the longest wait first. */
export function Blocked({ lists, count }: { readonly lists: Lists; readonly count: number }) {
  const waiting = lists.claims.waiting.toSorted((a, b) => Date.parse(a.since) - Date.parse(b.since));
  const known = new Map([...lists.blocked, ...lists.running].map((task) => [task.id, task]));
  const more = waiting.length - SHOWN;
  return (
    <Panel title="Blocked" count={Math.max(count, waiting.length)}>
      {waiting.length === 0 ? (
        <Empty title="Nobody waits for anybody." />
      ) : (
        <ul class="rows">
          {waiting.slice(0, SHOWN).map((wait) => {
            const task = known.get(wait.taskId);
            return (
              <li class="row" key={wait.taskId}>
                <div class="row-main">
                  <TaskLink id={wait.taskId} title={task?.title} />
                  <div class="row-facts">
                    {task !== undefined && <Branch name={task.branch} />}
                    <Obstacle wait={wait} titleOf={(id) => known.get(id)?.title} />
                  </div>
                </div>
                <div class="row-side">
                  <span class="place" title="Place in line">
                    #{wait.position}
                  </span>
                  <Since at={wait.since} />
                </div>
                {mayWrite.value && task !== undefined && (
                  <button
                    type="button"
                    class="button is-icon is-quiet"
                    aria-label={`Cancel ${task.title}`}
                    title="Cancel"
                    onClick={() => cancelTask(task)}
                  >
                    <Icon name="close" />
                  </button>
                )}
              </li>
            );
          })}
        </ul>
      )}
      {more > 0 && (
        <a class="more" href="/tasks?state=blocked">
          and {countWords(more, 'more')}
        </a>
      )}
    </Panel>
  );
}

interface ObstacleProps {
  readonly wait: Waiting;
  readonly titleOf: (id: string) => string | undefined;
}

function Obstacle({ wait: { resource, holder }, titleOf }: ObstacleProps) {
  return (
    <span class="obstacle">
      <span class="faint">waits for</span> <Resource of={resource} />
      {holder !== null && (
        <>
          {' '}
          <span class="faint">{kindWords(holder.kind)}</span>{' '}
          {holder.taskId === null ? (
            <span class="faint">{shortId(holder.runnerId ?? '')}</span>
          ) : (
            <TaskLink id={holder.taskId} title={titleOf(holder.taskId)} />
          )}
        </>
      )}
    </span>
  );
}

/** Why the task waits, or how it ended, in words; and who waits for whom as a small graph. */

import type { Explanation, TaskView } from '../api/shapes.ts';
import { Ago, Resource, TaskLink } from '../parts/chips.tsx';
import { shortId } from '../words/amount.ts';
import { kindWords } from '../words/state.ts';
import { ChainGraph } from './chain-graph.tsx';
import { Words } from './words.tsx';

interface ExplainProps {
  readonly explanation: Explanation;
  readonly task: TaskView;
}

/** The panel below the title. */
export function Explain({ explanation, task }: ExplainProps) {
  const { state, summary, next, blockedBy, position, ahead, chain, estimatedStartAt } = explanation;
  return (
    <section class={`explain is-${state}`} aria-label="Why">
      <div class="explain-words">
        <p class="explain-summary">
          <Words text={summary} />
        </p>
        {next !== '' && (
          <p class="explain-next">
            <Words text={next} />
          </p>
        )}
        <dl class="explain-facts">
          {position !== null && (
            <div>
              <dt>Place in line</dt>
              <dd>
                {position}
                {ahead.length > 0 && <span class="faint"> behind </span>}
                {ahead.slice(0, 3).map((id) => (
                  <TaskLink key={id} id={id} />
                ))}
              </dd>
            </div>
          )}
          {estimatedStartAt !== null && (
            <div>
              <dt>Likely start</dt>
              <dd>
                <Ago at={estimatedStartAt} />
              </dd>
            </div>
          )}
          {blockedBy.map(({ resource, holder }) => (
            <div key={`${resource} ${holder.runnerId} ${holder.taskId}`}>
              <dt>
                <Resource of={resource} />
              </dt>
              <dd>
                <span class="faint">{kindWords(holder.kind)} </span>
                {holder.taskId === null ? shortId(holder.runnerId ?? '') : <TaskLink id={holder.taskId} />}
                {holder.since !== null && (
                  <span class="faint">
                    {' '}
                    since <Ago at={holder.since} />
                  </span>
                )}
              </dd>
            </div>
          ))}
        </dl>
      </div>
      {chain.length > 0 && <ChainGraph chain={chain} self={task.id} />}
    </section>
  );
}

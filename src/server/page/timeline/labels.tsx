/** What stands beside the lanes: workers with their leases, slots, and those who wait. */

import { TaskLink } from '../parts/chips.tsx';
import { countWords } from '../words/amount.ts';
import { durationWords } from '../words/time.ts';
import { tints } from '../words/tint.ts';
import type { Group } from './lanes.ts';
import { AXIS_PX } from './scene.ts';
import type { WaitingLanes } from './waits.ts';

interface LabelsProps {
  readonly groups: readonly Group[];
  readonly waiting: WaitingLanes;
  readonly onChoose: (taskId: string | undefined) => void;
}

/** The column of labels; each is as high as its lane. */
export function Labels({ groups, waiting, onChoose }: LabelsProps) {
  return (
    <div
      class="labels"
      ref={(node) => {
        if (node !== null) node.style.paddingTop = `${AXIS_PX}px`;
      }}
    >
      {groups.map((group) => (
        <WorkerLabel key={group.workerId} group={group} />
      ))}
      {waiting.shown.length > 0 && (
        <div class="label-group">
          <div class="label-head">
            <strong>Waiting</strong>
            {waiting.more > 0 && <a href="/tasks?state=blocked">and {countWords(waiting.more, 'more')}</a>}
          </div>
          {waiting.shown.map(({ taskId, title, branch }) => (
            <div
              class="label-lane"
              key={taskId}
              onMouseEnter={() => onChoose(taskId)}
              onMouseLeave={() => onChoose(undefined)}
              onFocusCapture={() => onChoose(taskId)}
              onBlurCapture={() => onChoose(undefined)}
            >
              <span class={`branch-dot tint-${tints.of(branch)}`} aria-hidden="true" />
              <TaskLink id={taskId} title={title === '' ? undefined : title} />
            </div>
          ))}
        </div>
      )}
    </div>
  );
}

function WorkerLabel({ group: { worker, workerId, lanes } }: { readonly group: Group }) {
  const name = worker?.name ?? (workerId === '' ? 'unknown' : `…${workerId.slice(-6)}`);
  return (
    <div class="label-group">
      <div
        class="label-head"
        title={worker === undefined ? `worker ${workerId}, which has left` : `worker ${workerId} on ${worker.host}`}
      >
        <strong class="ellipsis">{name}</strong>
        {worker === undefined ? (
          <span class="label-note">gone</span>
        ) : (
          <span class="label-note">
            {worker.running}/{worker.concurrency} · lease {durationWords(worker.leaseMs)}
          </span>
        )}
      </div>
      {Array.from({ length: lanes }, (_, i) => (
        <div class="label-lane" key={i}>
          slot {i + 1}
        </div>
      ))}
    </div>
  );
}

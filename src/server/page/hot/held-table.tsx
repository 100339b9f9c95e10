/** What is held now, in words. */

import type { ClaimsView } from '../api/shapes.ts';
import { Resource, Since, TaskLink } from '../parts/chips.tsx';
import { Panel } from '../parts/states.tsx';
import { shortId } from '../words/amount.ts';

const MOST = 200;

/** Claims held, the oldest first. */
export function HeldTable({ held }: { readonly held: ClaimsView['held'] }) {
  return (
    <Panel title="What is held" count={held.length}>
      <div class="table-scroll">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Resource</th>
              <th scope="col">Mode</th>
              <th scope="col">Held by</th>
              <th scope="col">For</th>
            </tr>
          </thead>
          <tbody>
            {held.slice(0, MOST).map(({ resource, mode, taskId, runnerId, since, repo }) => (
              <tr key={`${repo} ${resource} ${runnerId}`}>
                <td>
                  <Resource of={resource} />
                </td>
                <td>{mode}</td>
                <td>{taskId === null ? `a program, ${shortId(runnerId)}` : <TaskLink id={taskId} />}</td>
                <td>
                  <Since at={since} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

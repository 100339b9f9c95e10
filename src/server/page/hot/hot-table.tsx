/** The costliest resources in numbers. */

import type { HotSpot } from '../api/shapes.ts';
import { Bar } from '../parts/bar.tsx';
import { Resource } from '../parts/chips.tsx';
import { Panel } from '../parts/states.tsx';
import { shortRepo } from '../words/amount.ts';
import { durationWords } from '../words/time.ts';

/** What was waited for longest, and what finer claims would have saved. */
export function HotTable({ hot }: { readonly hot: readonly HotSpot[] }) {
  const most = Math.max(1, ...hot.map(({ waitMs }) => waitMs));
  return (
    <Panel title="What was waited for" count={hot.length}>
      <div class="table-scroll">
        <table class="table hot-table">
          <thead>
            <tr>
              <th scope="col">Resource</th>
              <th scope="col">Waited in all</th>
              <th scope="col">Waits</th>
              <th scope="col">Tasks</th>
              <th scope="col">Longest</th>
              <th
                scope="col"
                title="What would not have been waited, had the holders claimed only the files that they changed"
              >
                Saved by finer claims
              </th>
              <th scope="col">By owner</th>
            </tr>
          </thead>
          <tbody>
            {hot.map((spot) => (
              <tr key={`${spot.repo} ${spot.resource}`}>
                <td>
                  <Resource of={spot.resource} />
                  {spot.repo !== '' && <span class="faint cell-repo">{shortRepo(spot.repo)}</span>}
                </td>
                <td>
                  <Bar value={spot.waitMs} most={most} label={durationWords(spot.waitMs)} />
                  <span class="number">{durationWords(spot.waitMs)}</span>
                </td>
                <td class="number">{spot.waits}</td>
                <td class="number">{spot.tasks}</td>
                <td class="number">{durationWords(spot.longestMs)}</td>
                <td class="number">{spot.finerClaimMs === 0 ? '–' : durationWords(spot.finerClaimMs)}</td>
                <td class="faint">{ownersOf(spot)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

const OWNERS = 3;

function ownersOf({ byOwner }: HotSpot): string {
  return Object.entries(byOwner)
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, OWNERS)
    .map(([owner, ms]) => `${owner} ${durationWords(ms)}`)
    .join(', ');
}

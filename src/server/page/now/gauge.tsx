/** The cap as a gauge: an arc of as many parts as may run at once. */

import type { Status } from '../api/shapes.ts';
import { arcsOf } from './arcs.ts';
import { fleetOf } from './fleet.ts';

/** How full the fleet is. */
export function Gauge({ status }: { readonly status: Status }) {
  const { running, most, cap, slots, words } = fleetOf(status);
  const arcs = arcsOf(most, running);
  return (
    <div class="gauge" role="img" aria-label={words}>
      <svg viewBox="0 0 120 74" width="120" height="74" aria-hidden="true">
        {arcs.map(({ path, isOn }) => (
          <path key={path} d={path} class={isOn ? 'is-on' : 'is-off'} />
        ))}
        <text x="60" y="58" class="gauge-number">
          {running}
          <tspan class="gauge-most"> / {most}</tspan>
        </text>
        <text x="60" y="71" class="gauge-words">
          in use
        </text>
      </svg>
      <p class="gauge-cap">
        {cap === null ? 'no cap' : `cap ${cap}`}
        <br />
        {slots} slots
      </p>
    </div>
  );
}

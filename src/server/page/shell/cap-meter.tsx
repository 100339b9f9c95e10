/** How full the fleet is, in the header's size. */

import type { Status } from '../api/shapes.ts';
import { fleetOf } from '../now/fleet.ts';

/** A small bar: running runners of all there may be. */
export function CapMeter({ status }: { readonly status: Status }) {
  const { running, most, words } = fleetOf(status);
  return (
    <span class="cap-meter" title={words}>
      <meter class="cap-bar" min={0} max={Math.max(1, most)} value={Math.min(running, most)} aria-label={words} />
      <span class="number">
        {running}/{most}
      </span>
    </span>
  );
}

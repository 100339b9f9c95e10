/** How full the fleet is, in the header's size. */

import type { Status } from '../api/shapes.ts';
import { fleetOf } from '../now/fleet.ts';
import { Bar } from '../parts/bar.tsx';

/** A small bar: running runners of all there may be. */
export function CapMeter({ status }: { readonly status: Status }) {
  const { running, most, words } = fleetOf(status);
  return (
    <span class="cap-meter" title={words}>
      <Bar value={running} most={most} label={words} />
      <span class="number">
        {running}/{most}
      </span>
    </span>
  );
}

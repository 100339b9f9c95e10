/** The parts of the gauge. Pure. */

/** More parts than this could not be told apart: then there are two, what is used and what is free. */
const MOST_PARTS = 24;
const CENTRE = { x: 60, y: 60 };
const RADIUS = 50;
const GAP_DEGREES = 4;

/** A part of the arc. */
export interface Arc {
  readonly path: string;
  readonly isOn: boolean;
}

/** A half circle of `most` parts, the first `used` of them on. */
export function arcsOf(most: number, used: number): Arc[] {
  if (most <= 0) return [{ path: arc(0, 180), isOn: false }];
  const on = Math.min(used, most);
  if (most > MOST_PARTS) {
    const turn = (180 * on) / most;
    return [
      ...(on > 0 ? [{ path: arc(0, turn), isOn: true }] : []),
      ...(on < most ? [{ path: arc(turn, 180), isOn: false }] : []),
    ];
  }
  const gap = most === 1 ? 0 : Math.min(GAP_DEGREES, 60 / most);
  const length = (180 - gap * (most - 1)) / most;
  return Array.from({ length: most }, (_, i) => {
    const start = i * (length + gap);
    return { path: arc(start, start + length), isOn: i < on };
  });
}

/** A path from the left end, in degrees. */
function arc(from: number, to: number): string {
  const [x1, y1] = point(from);
  const [x2, y2] = point(to);
  return `M${x1} ${y1}A${RADIUS} ${RADIUS} 0 0 1 ${x2} ${y2}`;
}

function point(degrees: number): readonly [number, number] {
  const radians = (Math.PI * (180 - degrees)) / 180;
  return [round(CENTRE.x + RADIUS * Math.cos(radians)), round(CENTRE.y - RADIUS * Math.sin(radians))];
}

function round(n: number): number {
  return Math.round(n * 100) / 100;
}

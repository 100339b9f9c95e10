/** Death at a named point: a worker of a test kills itself, as hard as the kernel can, when it reports some event. */

import type { Events, StampedEvent } from '../../../../src/telemetry/events.ts';

/**
 * `KILL_AT` is an event's name, with what one of its fields must hold after a colon, and after a `#` how many of them
 * must have come, as in `phase.started:publish#2`. `KILL_AFTER_MS` lets it live on for a moment, to die between points.
 */
export function dieAt(events: Events, env: Readonly<Record<string, string | undefined>>): void {
  const [, type, value, count = '1'] = /^([^:#]+)(?::([^#]+))?(?:#(\d+))?$/.exec(env['KILL_AT'] ?? '') ?? [];
  if (type === undefined) return;
  const afterMs = Number(env['KILL_AFTER_MS'] ?? 0);
  let left = Number(count);
  events.on('*', (event) => {
    if (event.type !== type || !holds(event, value)) return;
    left -= 1;
    if (left !== 0) return;
    const die = (): boolean => process.kill(process.pid, 'SIGKILL');
    if (afterMs === 0) die();
    else setTimeout(die, afterMs);
  });
}

function holds(event: StampedEvent, value: string | undefined): boolean {
  return value === undefined || Object.values(event).includes(value);
}

/** Says at a worker's start what about its Redis breaks or weakens the promises; `doctor` says the same. */

import type { Connection } from '../redis/connect.ts';
import { redisFindings } from '../redis/health.ts';
import type { Events } from '../telemetry/events.ts';

/** Reports each thing that is not as it should be. One that does not let itself be asked may still be used. */
export async function reportFitness(redis: Connection, events: Events, leaseTtlMs: number): Promise<void> {
  for (const { name, ok, level, message, next } of await redisFindings(redis, leaseTtlMs).catch(() => [])) {
    if (ok) continue;
    if (level === 'error') events.emit({ type: 'redis.unfit', check: name, reason: message, next });
    else events.emit({ type: 'redis.at_risk', check: name, reason: message, next });
  }
}

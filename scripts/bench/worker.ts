/** A worker process of the bench: opens a worker of whatever system it is told, and hands over what it has seen. */

import type { ProcessReading } from './readings.ts';
import type { SystemName } from './systems/all.ts';
import { SYSTEMS } from './systems/all.ts';
import type { BenchWorker, Place } from './systems/system.ts';

/** What the bench tells a worker process. It answers each with a message. */
export type Order =
  | { readonly open: SystemName; readonly place: Place }
  | { readonly close: true }
  | { readonly read: true };

let worker: BenchWorker | undefined;

process.on('message', (order: Order) => {
  obey(order).then(
    (answer) => process.send?.({ answer }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.stack : String(error) }),
  );
});
// Between two orders nothing else keeps this process alive.
process.channel?.ref();
process.once('SIGTERM', () => process.exit(0));

async function obey(order: Order): Promise<unknown> {
  if ('read' in order) return reading();
  if ('close' in order) return await worker?.close();
  worker = await SYSTEMS[order.open].openWorker(order.place);
  return null;
}

function reading(): ProcessReading {
  const { user, system } = process.cpuUsage();
  return { cpuUs: user + system, rssBytes: process.memoryUsage.rss() };
}

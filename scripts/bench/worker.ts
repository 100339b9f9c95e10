/** A worker process of the bench: opens a worker of whatever system it is told, and hands over what it has seen. */

import type { SystemName } from './systems/all.ts';
import { SYSTEMS } from './systems/all.ts';
import type { BenchWorker, Place } from './systems/system.ts';

/** What the bench tells a worker process. It answers each with a message. */
export type Order = { readonly open: SystemName; readonly place: Place } | { readonly close: true };

let worker: BenchWorker | undefined;

process.on('message', (order: Order) => {
  obey(order).then(
    (answer) => process.send?.({ answer }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
// Between two orders nothing else keeps this process alive.
process.channel?.ref();
process.once('SIGTERM', () => process.exit(0));

async function obey(order: Order): Promise<unknown> {
  if ('open' in order) {
    worker = await SYSTEMS[order.open].openWorker(order.place);
    return null;
  }
  return await worker?.close();
}

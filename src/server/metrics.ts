/** What `/metrics` answers: the numbers of the whole queue, the same from whichever dashboard they are asked. */

import { AggregatorRegistry, prometheusContentType } from 'prom-client';
import type { TaskQueue } from '../queue/task-queue.ts';
import type { GaugeValues } from '../telemetry/metrics/samples.ts';
import { samplesOf } from '../telemetry/metrics/samples.ts';
import { readGauges } from './gauges.ts';

/** The `Content-Type` of `metricsText`. */
export const METRICS_CONTENT_TYPE: string = prometheusContentType;

/**
 * All metrics in Prometheus' text format. Never rejects: while Redis is away it says so (`signalbox_redis_up 0`) and
 * nothing else, so that no counter seems to start anew.
 */
export async function metricsText(queue: TaskQueue): Promise<string> {
  try {
    const [counted, gauges] = await Promise.all([queue.redis.hgetall(queue.keys.all('metrics')), readGauges(queue)]);
    return await textOf(counted, { ...gauges, signalbox_redis_up: [[[], 1]] });
  } catch {
    return await textOf(undefined, { signalbox_redis_up: [[[], 0]] });
  }
}

async function textOf(counted: Readonly<Record<string, string>> | undefined, gauges: GaugeValues): Promise<string> {
  const all = samplesOf(counted ?? {}, gauges);
  const samples = counted === undefined ? all.filter(({ name }) => name === 'signalbox_redis_up') : all;
  return await AggregatorRegistry.aggregate([samples.filter(({ values }) => values.length > 0)]).metrics();
}

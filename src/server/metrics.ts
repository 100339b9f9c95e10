/** What `/metrics` answers: the numbers of the whole queue, the same from whichever dashboard they are asked. */

import { AggregatorRegistry, prometheusContentType } from 'prom-client';
import type { TaskQueue } from '../queue/task-queue.ts';
import type { GaugeValues } from '../telemetry/metrics/samples.ts';
import { samplesOf } from '../telemetry/metrics/samples.ts';
import { readGauges } from './gauges.ts';

/** The `Content-Type` of `metricsText`. */
export const METRICS_CONTENT_TYPE: string = prometheusContentType;

/** How long Redis may take: less than the 10 s after which Prometheus gives a scrape up. */
const ANSWER_MS = 5_000;

/**
 * All metrics in Prometheus' text format. While Redis does not answer it says so (`signalbox_redis_up 0`) and nothing
 * else, so that no counter seems to start anew. Rejects if Redis answers and what it answers is an error.
 */
export async function metricsText(queue: TaskQueue): Promise<string> {
  const read = Promise.all([queue.redis.hgetall(queue.keys.all('metrics')), readGauges(queue)]);
  const answer = await within(ANSWER_MS, read).catch(async (error: unknown) => {
    if (await isAnswering(queue)) throw error;
    return undefined;
  });
  if (answer === undefined) return await textOf(undefined, { signalbox_redis_up: [[[], 0]] });
  const [counted, gauges] = answer;
  return await textOf(counted, { ...gauges, signalbox_redis_up: [[[], 1]] });
}

async function isAnswering({ redis }: TaskQueue): Promise<boolean> {
  return (await within(ANSWER_MS, redis.ping()).catch(() => undefined)) !== undefined;
}

/** Undefined when it takes longer. A hung Redis answers nothing, not even an error. */
async function within<T>(ms: number, answer: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  return await Promise.race([answer, late]).finally(() => clearTimeout(timer));
}

async function textOf(counted: Readonly<Record<string, string>> | undefined, gauges: GaugeValues): Promise<string> {
  const all = samplesOf(counted ?? {}, gauges);
  const samples = counted === undefined ? all.filter(({ name }) => name === 'signalbox_redis_up') : all;
  return await AggregatorRegistry.aggregate([samples.filter(({ values }) => values.length > 0)]).metrics();
}

/** From the numbers in Redis to samples as Prometheus knows them. Pure. */

import { definitionOf, type GaugeName, METRICS, type MetricName } from './definitions.ts';

/** One value of a metric. */
interface Sample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Where it is not the metric's own: `…_bucket`, `…_sum`, `…_count`. */
  readonly metricName?: string;
}

/** A metric with its values, in the shape in which prom-client exchanges them. */
export interface Samples {
  readonly name: MetricName;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly aggregator: 'sum';
  readonly values: readonly Sample[];
}

/** A gauge's values: the values of its labels, in order, and the number. */
export type GaugeValues = Readonly<Partial<Record<GaugeName, readonly (readonly [readonly string[], number])[]>>>;

/**
 * All metrics. `counted` is the hash in Redis; fields that this version does not know, such as those of a newer one, are
 * passed over.
 */
export function samplesOf(counted: Readonly<Record<string, string>>, gauges: GaugeValues): Samples[] {
  const byName = new Map<string, [rest: readonly string[], value: number][]>();
  for (const [field, text] of Object.entries(counted)) {
    const [name = '', ...rest] = field.split('|');
    if (!isKnown(name, rest)) continue;
    const list = byName.get(name) ?? [];
    byName.set(name, list);
    list.push([rest, Number(text)]);
  }
  return (Object.keys(METRICS) as MetricName[]).map((name) => {
    const { type, help } = definitionOf(name);
    return { name, help, type, aggregator: 'sum', values: valuesOf(name, byName.get(name) ?? [], gauges) };
  });
}

/** Whether the labels have values that they may have: whoever can write to Redis shall not make series without end. */
function isKnown(name: string, rest: readonly string[]): boolean {
  if (!Object.hasOwn(METRICS, name)) return false;
  return Object.values(definitionOf(name as MetricName).labels ?? {}).every(
    (values, i) => values === 'bounded' || values.includes(rest[i] ?? ''),
  );
}

type Entries = readonly (readonly [rest: readonly string[], value: number])[];

function valuesOf(name: MetricName, entries: Entries, gauges: GaugeValues): Sample[] {
  switch (definitionOf(name).type) {
    case 'gauge':
      return (gauges[name as GaugeName] ?? []).map(([values, value]) => ({ value, labels: labelsOf(name, values) }));
    case 'counter':
      return counterValues(name, entries);
    case 'histogram':
      return [...histograms(name, entries)].flatMap(([key, parts]) =>
        histogramValues(name, key === '' ? [] : key.split('|'), parts),
      );
  }
}

/** What was never counted is 0 and not missing: nobody sees the first increase of a series that was not there. */
function counterValues(name: MetricName, entries: Entries): Sample[] {
  const values = new Map(zerosOf(name).map((labels) => [labels.join('|'), 0]));
  for (const [labels, value] of entries) values.set(labels.join('|'), value);
  const named = Object.keys(definitionOf(name).labels ?? {}).length > 0;
  return [...values].map(([key, value]) => ({ value, labels: labelsOf(name, named ? key.split('|') : []) }));
}

function zerosOf(name: MetricName): readonly (readonly string[])[] {
  const { labels = {}, zeros } = definitionOf(name);
  if (zeros !== undefined) return zeros;
  return Object.values(labels).reduce<readonly (readonly string[])[]>(
    (all, values) => (values === 'bounded' ? [] : all.flatMap((one) => values.map((value) => [...one, value]))),
    [[]],
  );
}

/** Each histogram's parts, by the values of its labels. */
function histograms(name: MetricName, entries: Entries): Map<string, Map<string, number>> {
  const all = new Map(zerosOf(name).map((labels) => [labels.join('|'), new Map<string, number>()]));
  for (const [rest, value] of entries) {
    const key = rest.slice(0, -1).join('|');
    const parts = all.get(key) ?? new Map<string, number>();
    all.set(key, parts);
    parts.set(rest.at(-1) ?? '', value);
  }
  return all;
}

/** In Redis each observation is in one bucket; Prometheus wants in each all that are not above it. */
function histogramValues(
  name: MetricName,
  labelValues: readonly string[],
  parts: ReadonlyMap<string, number>,
): Sample[] {
  const labels = labelsOf(name, labelValues);
  const bounds = [...(definitionOf(name).buckets ?? []).map(String), '+Inf'];
  // A bucket that an earlier version had, and this one does not, counts in the next one above.
  const upTo = (bound: string): number =>
    [...parts].reduce((sum, [part, value]) => {
      return part.startsWith('le=') && limitOf(part.slice('le='.length)) <= limitOf(bound) ? sum + value : sum;
    }, 0);
  const total = upTo('+Inf');
  return [
    ...bounds.map((le) => ({
      metricName: `${name}_bucket`,
      labels: { ...labels, le },
      value: le === '+Inf' ? total : upTo(le),
    })),
    { metricName: `${name}_sum`, labels, value: parts.get('sum') ?? 0 },
    { metricName: `${name}_count`, labels, value: total },
  ];
}

function limitOf(bound: string): number {
  return bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound);
}

function labelsOf(name: MetricName, values: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.keys(definitionOf(name).labels ?? {}).map((label, i) => [label, values[i] ?? '']));
}

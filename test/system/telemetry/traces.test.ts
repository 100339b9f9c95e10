import { describe, expect, it } from 'vitest';
import { CliWorld } from '../../support/cli.ts';
import { Receiver } from '../../support/receiver.ts';

interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
  readonly status: { readonly code?: number };
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Span['attributes'] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

const exportsOf = ({ received }: Receiver): Export['resourceSpans'] =>
  received.flatMap(({ body }) => (JSON.parse(body) as Export).resourceSpans);

/** Each once: what a busy machine did not answer in time was sent again. */
const spansOf = (collector: Receiver): Span[] => {
  const all = exportsOf(collector).flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
  return [...new Map(all.map((span) => [span.spanId, span])).values()];
};

const attribute = (of: Pick<Span, 'attributes'> | undefined, key: string): unknown =>
  Object.values(of?.attributes.find((one) => one.key === key)?.value ?? {})[0];

/** The spans of a test by name, and by what they hang on. */
class Trace {
  readonly spans: readonly Span[];

  constructor(collector: Receiver) {
    this.spans = spansOf(collector);
  }

  /** The one span of this name, of a task if one is named. */
  one(name: string, task?: string): Span {
    const found = this.spans.filter(
      (span) => span.name === name && (task === undefined || attribute(span, 'signalbox.task.id') === task),
    );
    expect(found, name).toHaveLength(1);
    return found[0] as Span;
  }

  under({ spanId, traceId }: Span): Span[] {
    return this.spans.filter((span) => span.parentSpanId === spanId && span.traceId === traceId);
  }
}

describe('traces', () => {
  it('tell the story of a task from its submission to its steps in one trace, without secrets', async () => {
    await using world = new CliWorld();
    await using collector = await Receiver.start();
    collector.answer = (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    const canary = 'canary-5ecre7';
    Object.assign(world.env, {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url(''),
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test',
      CANARY: canary,
    });
    const remote = world.remote();
    const worker = await world.worker('--concurrency', '2');
    const file = world.file(
      'tasks.yaml',
      ['one', 'two']
        .map(
          (name) => `- title: ${name}
  repo: ${remote.dir}
  branch: task/same
  secrets: [CANARY]
  attempts: 1
  implement:
    - { name: write, run: 'echo $CANARY; echo ${name} > ${name}.txt' }
    - { name: check, run: '${name === 'one' ? 'sleep 0.5' : 'echo $CANARY >&2; exit 3'}' }
`,
        )
        .join(''),
    );
    const { tasks } = (await world.json('submit', file)) as { tasks: { id: string }[] };
    const [one = '', two = ''] = tasks.map(({ id }) => id);
    await world.reached(one, 'succeeded');
    await world.reached(two, 'failed');
    await worker.stop();

    const trace = new Trace(collector);
    const submit = trace.one('signalbox.submit');
    const [run, failed] = [trace.one('signalbox.run', one), trace.one('signalbox.run', two)];
    const wait = trace.one('signalbox.wait', two);
    for (const span of [run, failed, wait]) expect(trace.under(submit)).toContain(span);
    expect(trace.under(wait)).toEqual([trace.one('signalbox.blocked', two)]);
    expect(attribute(run, 'signalbox.branch')).toBe('task/same');
    expect(attribute(run, 'signalbox.repo')).toContain(remote.dir);
    expect(attribute(run, 'signalbox.outcome')).toBe('succeeded');
    expect(attribute(failed, 'signalbox.code')).toBe('implement_failed');
    expect(failed.status.code).toBe(2);
    const phases = trace.under(run);
    expect(phases.map(({ name }) => name)).toEqual(
      ['prepare', 'implement', 'test', 'publish', 'archive'].map((phase) => `phase ${phase}`),
    );
    const steps = trace.under(phases[1] as Span);
    expect(steps.map((span) => attribute(span, 'signalbox.step'))).toEqual(['write', 'check']);
    const [, check = steps[0]] = steps;
    expect(Number(BigInt(check?.endTimeUnixNano ?? 0) - BigInt(check?.startTimeUnixNano ?? 0))).toBeGreaterThan(490e6);
    // BullMQ's own: the job is added by the submission and processed in its trace.
    const own = /^(?:signalbox|phase|step)/;
    expect(trace.under(submit).filter(({ name }) => !own.test(name))).not.toEqual([]);
    const processed = trace.spans.filter(
      ({ name, traceId }) => name.startsWith('process') && traceId === submit.traceId,
    );
    expect(processed).not.toEqual([]);

    const [first] = exportsOf(collector);
    expect(attribute(first?.resource, 'service.name')).toBe('signalbox');
    expect(attribute(first?.resource, 'deployment.environment')).toBe('test');
    expect(collector.received.map(({ body }) => body).join('\n')).not.toContain(canary);
    expect(collector.received[0]?.path).toBe('/v1/traces');
  });

  it('that nobody takes disturb no task, and end no later than the command', async () => {
    await using world = new CliWorld();
    const gone = await Receiver.start();
    await gone[Symbol.asyncDispose]();
    await using hanging = await Receiver.start();
    hanging.answer = () => {};
    const remote = world.remote();
    Object.assign(world.env, { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: hanging.url('/'), OTEL_SERVICE_NAME: 'mine' });
    const worker = await world.worker();
    const submit = ['submit', '--repo', remote.dir, '--run', 'echo work > work.txt', '--wait'];
    const submitted = await world.run(submit, {
      env: { ...world.env, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:1/' },
    });
    expect(submitted, submitted.stderr).toMatchObject({ code: 0 });
    expect(await worker.stop()).toMatchObject({ code: 0 });
    const [first] = exportsOf(hanging);
    expect(attribute(first?.resource, 'service.name')).toBe('mine');
  });
});

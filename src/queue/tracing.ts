/**
 * Traces, as far as the queue makes them: BullMQ's own spans, and one for each submission, whose context its tasks carry
 * in their records. Where the program has set up no OpenTelemetry SDK there are none, and nothing is spent on them.
 */

import {
  type Context,
  context,
  ProxyTracerProvider,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { QueueBaseOptions } from 'bullmq';
import { BullMQOtel } from 'bullmq-otel';

/** The name under which Signalbox's spans are made. */
export const TRACER = 'signalbox';

/** Whether somebody has set up where spans go. */
export function isTracing(): boolean {
  const provider = trace.getTracerProvider();
  return !(provider instanceof ProxyTracerProvider) || provider.getDelegateTracer(TRACER) !== undefined;
}

/** What BullMQ's queues and workers are to be made with. */
export function bullTracing(): Pick<QueueBaseOptions, 'telemetry'> {
  return isTracing() ? { telemetry: new BullMQOtel({ tracerName: TRACER }) } : {};
}

/** Runs a submission in a span of its own; `submit` gets what the records of its tasks are to carry. */
export async function traceSubmission<T>(
  count: number,
  submit: (traceparent: string | undefined) => Promise<T>,
): Promise<T> {
  if (!isTracing()) return await submit(undefined);
  const options = { kind: SpanKind.PRODUCER, attributes: { 'signalbox.tasks': count } };
  return await trace.getTracer(TRACER).startActiveSpan('signalbox.submit', options, async (span) => {
    try {
      return await submit(traceparentOf(context.active()));
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** The context that a record carries; undefined where it carries none, or something else. */
export function contextFrom(traceparent: string | null): Context | undefined {
  if (traceparent === null) return undefined;
  const found = propagation.extract(ROOT_CONTEXT, { traceparent });
  return trace.getSpanContext(found) === undefined ? undefined : found;
}

function traceparentOf(active: Context): string | undefined {
  const carrier: Record<string, string> = {};
  propagation.inject(active, carrier);
  return carrier['traceparent'];
}

/**
 * Sends spans to an OpenTelemetry collector, for the programs of this package. The SDK is loaded only if the environment
 * names a collector; a program that uses the library sets up its own.
 */

type Env = Readonly<Record<string, string | undefined>>;

/** How long the last spans may take, on a busy machine too: a collector that hangs holds nobody up for longer. */
const LAST_MS = 5_000;

/**
 * Begins to send spans if `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` is set, by OTLP over
 * HTTP with JSON. Call it before connections are made. The answer sends the last ones and ends it.
 */
export async function startTracing(env: Env): Promise<() => Promise<void>> {
  if (!isWanted(env)) return async () => {};
  const [{ BatchSpanProcessor, NodeTracerProvider }, { OTLPTraceExporter }, resources] = await Promise.all([
    import('@opentelemetry/sdk-trace-node'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  const { defaultResource, detectResources, envDetector, resourceFromAttributes } = resources;
  const provider = new NodeTracerProvider({
    // What the OTEL_* variables say comes last.
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'signalbox' }))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  provider.register();
  return async () => {
    const late = new Promise<void>((resolve) => setTimeout(resolve, LAST_MS).unref());
    await Promise.race([provider.shutdown().catch(() => {}), late]);
  };
}

function isWanted(env: Env): boolean {
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none') return false;
  return ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'].some((name) => (env[name] ?? '') !== '');
}

/** `signalbox up`: all that is needed, on this machine. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Config, loadConfig } from '../../config/config.ts';
import { type Options, VARIABLES } from '../../config/options.ts';
import { processSources } from '../../config/process.ts';
import { producerConnection } from '../../redis/connect.ts';
import { type Dashboard, DEFAULT_PORT, startDashboard } from '../../server/dashboard.ts';
import { command } from '../command.ts';
import { countText, durationText, fields } from '../format.ts';
import type { Output } from '../output.ts';
import { startFleet } from '../up/fleet.ts';
import { forgetUp, makePlace, noteUp, placesOf, refuseSecond } from '../up/place.ts';
import { keepRedis, type PrivateRedis } from '../up/private-redis.ts';
import { listenForSignals, type Signals, untilAborted } from '../up/signals.ts';
import { duration, wholeNumber } from '../values.ts';

interface UpOptions {
  readonly workers: number;
  readonly concurrency?: number;
  readonly port?: number;
  readonly drain?: number;
}

/** Somebody waits at the terminal. */
const DRAIN_MS = 5_000;
const MAX_WORKERS = 64;

/** Starts Redis if none is configured, workers, and the dashboard; stops them when it is signalled. */
export const up = command<UpOptions>({
  name: 'up',
  summary: 'start all that is needed on this machine: Redis, workers, dashboard',
  details: `A private Redis is started when no REDIS_URL is set, with its data in the data folder (.signalbox, which
git does not see); other commands in this folder or below then find it. When it or a worker dies it is started
again; each worker writes its log to logs/ in the data folder. The dashboard is for this machine alone, on port ${DEFAULT_PORT}
or the next that is free unless --port says which. Ctrl-C stops everything: what has not ended
after --drain goes back to the queue and runs at the next start. A second Ctrl-C hurries.`,
  json: '{ready:true,redisUrl,port}, once it takes tasks',
  examples: [
    'signalbox up',
    'signalbox up --workers 2 --concurrency 4',
    'REDIS_URL=redis://10.0.0.5:6379 signalbox up',
  ],
  options: (made) =>
    made
      .option('--workers <n>', 'how many worker processes', wholeNumber(1, MAX_WORKERS), 1)
      .option('--concurrency <n>', 'how many tasks each runs at a time (SIGNALBOX_CONCURRENCY)', wholeNumber(1))
      .option('--port <port>', 'the dashboard’s port; 0 takes any that is free', wholeNumber(0, 65_535))
      .option(
        '--drain <duration>',
        'how long runs may go on after a signal (SIGNALBOX_DRAIN_TIMEOUT, else 5s)',
        duration,
      ),
  run: async ({ options, flags, out }) => {
    const sources = processSources();
    const { concurrency, drain } = options;
    const given = { ...flags, concurrency, drainTimeout: drain };
    const config = loadConfig({ ...sources, flags: given, findUp: false });
    const places = placesOf(config.dataDir, sources.cwd);
    for (const place of places) await makePlace(place);
    await refuseSecond(places);
    const signals = listenForSignals();
    const redis = await startRedis(config, (text) => out.note(text));
    const redisUrl = redis?.url ?? config.redisUrl;
    try {
      await runFleet({
        options,
        config,
        places,
        redisUrl,
        flags,
        signals,
        out,
        env: envFor(sources.env, { flags, concurrency }),
      });
    } catch (error) {
      // Told to stop while it started: then nothing failed.
      if (!signals.first.aborted) throw error;
    } finally {
      await redis?.stop();
    }
    return undefined;
  },
});

interface FleetParts {
  readonly options: UpOptions;
  readonly config: Readonly<Config>;
  readonly redisUrl: string;
  readonly flags: Options;
  readonly signals: Signals;
  readonly out: Output;
  readonly env: Env;
  readonly places: readonly string[];
}

/** Runs the workers and the dashboard until the first signal. */
async function runFleet(parts: FleetParts): Promise<void> {
  const { options, config, places, redisUrl, signals, out, env } = parts;
  const { dataDir, drainTimeoutMs = DRAIN_MS } = config;
  const logFolder = join(dataDir, 'logs');
  await mkdir(logFolder, { recursive: true });
  const fleet = await startFleet({
    count: options.workers,
    env: {
      ...env,
      [VARIABLES.redisUrl]: redisUrl,
      [VARIABLES.dataDir]: dataDir,
      [VARIABLES.drainTimeout]: String(drainTimeoutMs),
    },
    logFolder,
    drainMs: drainTimeoutMs,
    note: (text) => out.note(text),
    signal: signals.first,
  });
  let dashboard: Dashboard | undefined;
  try {
    dashboard = await serve(parts);
    const { port, url } = dashboard;
    await noteUp(places, { redisUrl, port, pid: process.pid, dataDir });
    tellReady(out, { redisUrl, config, workers: options.workers, port, url });
    await untilAborted(signals.first);
    out.note(`Stopping; runs may go on for ${durationText(drainTimeoutMs)}. Press Ctrl-C again to hurry.`);
    signals.onSecond(() => fleet.hurry());
  } finally {
    await Promise.all([fleet.stop(), dashboard?.stop()]);
    await forgetUp(places);
  }
}

/** A port that was asked for is the one, and else the usual one or the next that is free. */
async function serve({ options: { port }, flags, redisUrl, config }: FleetParts): Promise<Dashboard> {
  const where = port === undefined ? { port: DEFAULT_PORT, orNextPort: true } : { port };
  return await startDashboard({ ...flags, redisUrl, dataDir: config.dataDir, ...where });
}

interface Ready {
  readonly port: number;
  readonly url: string;
  readonly redisUrl: string;
  readonly config: Readonly<Config>;
  readonly workers: number;
}

function tellReady(out: Output, { redisUrl, config, workers, port, url }: Ready): void {
  const slots = countText(workers * config.concurrency, 'task');
  out.data({ ready: true, redisUrl, port }, () =>
    [
      `${out.paint('green', 'ready')}: ${countText(workers, 'worker')}, up to ${slots} at a time`,
      fields(out.paint, [
        ['page', url],
        ['redis', `${redisUrl.replace(/\/\/[^@/]*@/, '//***@')}${isPrivate(config) ? ' (private)' : ''}`],
        ['data', config.dataDir],
      ]),
      `Queue a task in another terminal, such as \`signalbox submit --run 'make'\`, and look with \`signalbox status\`.`,
      'Ctrl-C stops all of it; waiting tasks are kept.',
    ].join('\n'),
  );
}

/** A private Redis unless one is configured; that one must answer. Throws REDIS_UNREACHABLE. */
async function startRedis(config: Readonly<Config>, note: (text: string) => void): Promise<PrivateRedis | undefined> {
  if (isPrivate(config)) return await keepRedis(join(config.dataDir, 'redis'), note);
  (await producerConnection(config.redisUrl)).disconnect();
  return undefined;
}

function isPrivate({ redisFrom }: Readonly<Config>): boolean {
  return redisFrom === 'default';
}

type Env = Readonly<Record<string, string | undefined>>;

/** Flags go to the workers by their environment: arguments show in the list of processes. */
function envFor(
  env: Env,
  { flags, concurrency }: { readonly flags: Options; readonly concurrency: number | undefined },
): Env {
  return {
    ...env,
    ...(flags.queue === undefined ? {} : { [VARIABLES.queue]: flags.queue }),
    ...(concurrency === undefined ? {} : { [VARIABLES.concurrency]: String(concurrency) }),
  };
}

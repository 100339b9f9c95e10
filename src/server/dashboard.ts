/** The dashboard: page, HTTP API and live events of one queue, over a port. */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Signalbox } from '../client/signalbox.ts';
import type { Options } from '../config/options.ts';
import { SignalboxError } from '../errors.ts';
import { createLogger, type Logger } from '../telemetry/log.ts';
import { createApp } from './app.ts';
import { Access } from './auth/access.ts';
import { isLoopback } from './auth/origin.ts';
import { Reads } from './reads.ts';
import { EventHub, type HubLimits } from './sse/hub.ts';

/** The port that a dashboard has unless another is asked for. */
export const DEFAULT_PORT = 4480;

/** The address that it listens on unless another is asked for: nobody else on the network can reach it. */
export const DEFAULT_HOST = '127.0.0.1';

/** What a dashboard is made from: options over the environment over `signalbox.yaml`, and where it listens. */
export interface DashboardOptions extends Options {
  /** Default {@link DEFAULT_PORT}; 0: any that is free. */
  readonly port?: number;
  /** Takes the next free port when the one asked for is taken. */
  readonly orNextPort?: boolean;
  /** Default {@link DEFAULT_HOST}. */
  readonly host?: string;
  readonly logger?: Logger;
  /** The folder of the built page; default: the one of this package. */
  readonly pageDir?: string;
  /** For tests. */
  readonly limits?: Partial<HubLimits>;
}

/** A dashboard that answers. */
export interface Dashboard {
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** How many ports are tried when the first is taken, before any is taken. */
const NEXT_PORTS = 50;

/**
 * Starts a dashboard; resolves when it answers. Throws INVALID for an address other than loopback without a token,
 * STATE for a port that is taken, and REDIS_UNREACHABLE.
 */
export async function startDashboard(options: DashboardOptions = {}): Promise<Dashboard> {
  const { port = DEFAULT_PORT, orNextPort = false, host = DEFAULT_HOST, logger, pageDir, limits, ...config } = options;
  const box = await Signalbox.connect(config);
  const hub = new EventHub(box, limits);
  try {
    const { token, readToken, logLevel } = box.config;
    const access = new Access({ token, readToken });
    if (!isLoopback(host) && !access.tokenRequired) throw openToAll(host);
    const app = await createApp(
      {
        box,
        queue: box.queue,
        access,
        hub,
        reads: new Reads(),
        logger: logger ?? createLogger({ level: logLevel, name: 'dashboard' }),
        pageDir: pageDir ?? builtPage(),
        version: version(),
      },
      { isLocal: isLoopback(host) },
    );
    const listening = await listen(port, { host, orNextPort }, async (at) => await app.listen(at));
    const stop = async (): Promise<void> => {
      await hub.close();
      await app.close();
      await box.close();
    };
    return { url: urlOf(host, listening), port: listening, stop };
  } catch (error) {
    await hub.close();
    await box.close();
    throw error;
  }

  async function listen(
    first: number,
    { host: address, orNextPort: mayMove }: { readonly host: string; readonly orNextPort: boolean },
    bind: (at: { host: string; port: number }) => Promise<string>,
  ): Promise<number> {
    const last = mayMove && first !== 0 ? Math.min(65_535, first + NEXT_PORTS) : first;
    for (let at = first; ; at += 1) {
      try {
        return Number(new URL(await bind({ host: address, port: at })).port);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== 'EADDRINUSE' && code !== 'EACCES' && code !== 'EADDRNOTAVAIL') throw error;
        if (code !== 'EADDRINUSE' || at >= last) throw notFree(address, first, code);
      }
    }
  }
}

function openToAll(host: string): SignalboxError {
  return new SignalboxError('INVALID', `\`host\` ${host} can be reached by others, and no token is set`, {
    field: 'host',
    next: 'Set SIGNALBOX_TOKEN to 8 characters or more, or leave --host out: then only this machine reaches it.',
  });
}

function notFree(host: string, port: number, code: string): SignalboxError {
  const why = code === 'EADDRINUSE' ? 'is taken' : `cannot be listened on (${code})`;
  return new SignalboxError('STATE', `Port ${port} of ${host} ${why}.`, {
    next: 'Give another with --port; 0 takes any that is free.',
    ...(code === 'EADDRINUSE' ? {} : { field: 'host' }),
  });
}

function urlOf(host: string, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${name.includes(':') ? `[${name.replace(/^\[|\]$/g, '')}]` : name}:${port}`;
}

/** Beside this file once it is built; from source (tests, development), what was built last. */
function builtPage(): string {
  const beside = fileURLToPath(new URL('./page/', import.meta.url));
  if (!import.meta.url.endsWith('.ts')) return beside;
  const built = fileURLToPath(new URL('../../dist/src/server/page/', import.meta.url));
  return existsSync(join(built, 'index.html')) ? built : beside;
}

function version(): string {
  const { version: number } = createRequire(import.meta.url)('signalbox/package.json') as { version: string };
  return number;
}

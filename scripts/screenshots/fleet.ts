/** A fleet of its own for pictures and for the tests of the page: Redis, workers and dashboard by `signalbox up`, in a folder that goes away. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const SIGNALBOX = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

/** A fleet that takes tasks, and how to ask its dashboard. */
export interface Fleet extends AsyncDisposable {
  readonly url: string;
  /** A folder that goes away with it. */
  readonly dir: string;
  readonly ask: <T>(method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown) => Promise<T>;
}

/** How large it is, and whether it asks for a token. */
export interface FleetOptions {
  readonly workers: number;
  readonly concurrency: number;
  readonly token?: string;
  readonly readToken?: string;
}

/** Starts it. Throws what `up` printed if it does not start. */
export async function startFleet({ workers, concurrency, token, readToken }: FleetOptions): Promise<Fleet> {
  const dir = await mkdtemp(join(tmpdir(), 'signalbox-fleet-'));
  const args = [
    'up',
    '--workers',
    String(workers),
    '--concurrency',
    String(concurrency),
    '--port',
    '0',
    '--drain',
    '1s',
  ];
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? dir,
    SIGNALBOX_DATA: join(dir, 'data'),
    ...(token === undefined ? {} : { SIGNALBOX_TOKEN: token }),
    ...(readToken === undefined ? {} : { SIGNALBOX_READ_TOKEN: readToken }),
  };
  const child = spawn(process.execPath, [SIGNALBOX, ...args, '--json'], {
    cwd: dir,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    await rm(dir, { recursive: true, force: true });
  };
  try {
    const url = `http://127.0.0.1:${await portOf(child)}`;
    const ask = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
      const response = await fetch(`${url}/api/v1${path}`, {
        method,
        headers: {
          'content-type': 'application/json',
          origin: url,
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
      return (await response.json()) as T;
    };
    return { url, dir, ask, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function portOf(child: ChildProcess): Promise<number> {
  const complaints: string[] = [];
  if (child.stdout === null || child.stderr === null) throw new Error('signalbox up has no output');
  createInterface({ input: child.stderr }).on('line', (line) => complaints.push(line));
  for await (const line of createInterface({ input: child.stdout })) {
    const { ready, port } = JSON.parse(line) as { readonly ready?: boolean; readonly port?: number };
    if (ready === true && typeof port === 'number') return port;
  }
  throw new Error(`signalbox up did not start:\n${complaints.join('\n')}`);
}

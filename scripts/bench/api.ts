/**
 * How long the HTTP API takes to answer many clients at once, over a long history: `npm run bench:api`. Clients run in
 * this process and the dashboard in its own, on one machine: they share its processors. Figures are printed and nothing
 * is asserted.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Signalbox } from '../../src/index.ts';
import { startEmbeddedRedis } from '../../src/redis/embedded.ts';

const { values } = parseArgs({
  options: {
    tasks: { type: 'string', default: '10000' },
    clients: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '8' },
    help: { type: 'boolean', default: false },
  },
});

const PROGRAM = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));
const WAITING = 50;
const CHUNK = 500;

if (values.help) {
  console.log('usage: npm run bench:api -- [--tasks 10000] [--clients 200] [--seconds 8]');
} else {
  await main();
}

async function main(): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'signalbox-bench-api-'));
  const redis = await startEmbeddedRedis({ dir, aof: false });
  const env = { ...process.env, REDIS_URL: redis.url, SIGNALBOX_QUEUE: 'bench', SIGNALBOX_HISTORY_LIMIT: '1000000' };
  const child = spawn(process.execPath, [PROGRAM, 'dashboard', '--port', '0', '--json'], {
    cwd: dir,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const { url } = JSON.parse(line.toString()) as { url: string };
    const { ended, waiting } = await seed(redis.url, Number(values.tasks));
    console.log(`${ended.length} tasks of history, ${waiting.length} that wait, ${values.clients} clients`);
    const clients = Number(values.clients);
    const memory = async (): Promise<string> => `${Math.round((await rssOf(child.pid ?? 0)) / 1024)} MiB`;
    console.log(`memory before: ${await memory()}`);
    const cursors = Array.from({ length: 40 }, (_, i) => `&cursor=${ended.length - i * 200}`);
    const list = (): string => pick(['/tasks?limit=50', '/tasks?state=cancelled', `/tasks?limit=50${pick(cursors)}`]);
    const owned = (): string => `/tasks?owner=o${Math.floor(Math.random() * 20)}`;
    const explain = (): string => `/tasks/${Math.random() < 0.9 ? pick(ended) : pick(waiting)}/explain`;
    for (const [name, path] of Object.entries({ list, 'list of an owner': owned, explain })) {
      for (const [how, everyMs] of [
        ['each asks once a second', 1_000],
        ['each asks again at once', 0],
      ] as const) {
        const before = await cpuMsOf(child.pid ?? 0);
        const times = await load({ url, path, clients, everyMs });
        const cpuMs = ((await cpuMsOf(child.pid ?? 0)) - before) / times.length;
        const own = `${cpuMs.toFixed(2)} ms of the dashboard's processor an answer`;
        console.log(`${name}, ${how}: ${summary(times)}, ${own}; memory ${await memory()}`);
      }
    }
  } finally {
    child.kill('SIGTERM');
    await once(child, 'exit');
    await redis.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

async function seed(redisUrl: string, count: number): Promise<{ ended: string[]; waiting: string[] }> {
  await using box = await Signalbox.connect({ redisUrl, queue: 'bench', historyLimit: 1_000_000 });
  const made = async (n: number): Promise<string[]> => {
    const tasks = Array.from({ length: n }, (_, i) => ({
      title: `Task number ${i} of the benchmark`,
      repo: 'https://git.example.com/acme/app',
      claims: { write: [`src/part-${i % 50}/**`] },
      implement: ['true'],
      owner: `o${i % 20}`,
    }));
    return (await box.submit(tasks)).map(({ id }) => id);
  };
  const ended: string[] = [];
  while (ended.length < count) {
    const ids = await made(Math.min(CHUNK, count - ended.length));
    await Promise.all(ids.map(async (id) => await box.cancel(id)));
    ended.push(...ids);
  }
  return { ended, waiting: await made(WAITING) };
}

interface Load {
  readonly url: string;
  readonly path: () => string;
  readonly clients: number;
  readonly everyMs: number;
}

async function load({ url, path, clients, everyMs }: Load): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const times: number[] = [];
  const until = performance.now() + Number(values.seconds) * 1_000;
  const client = async (): Promise<void> => {
    await delay(Math.random() * everyMs);
    while (performance.now() < until) {
      const startedAt = performance.now();
      await ask(`${url}/api/v1${path()}`, agent);
      const tookMs = performance.now() - startedAt;
      times.push(tookMs);
      if (everyMs > tookMs) await delay(everyMs - tookMs);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  agent.destroy();
  return times;
}

async function ask(address: string, agent: Agent): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    get(address, { agent }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`${address} answered ${response.statusCode}`));
      response.resume().on('end', resolve).on('error', reject);
    }).on('error', reject);
  });
}

function summary(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): string => `${(sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1)} ms`;
  const perSecond = Math.round(times.length / Number(values.seconds));
  return `p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}, ${perSecond} answers/s`;
}

async function rssOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+)/m.exec(text)?.[1] ?? 0);
}

/** User and system time so far, from the kernel's clock ticks of 10 ms. */
async function cpuMsOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = text.slice(text.lastIndexOf(')')).split(' ');
  return 10 * (Number(fields[12]) + Number(fields[13]));
}

function pick<T>(list: readonly T[]): T {
  return list[Math.floor(Math.random() * list.length)] as T;
}

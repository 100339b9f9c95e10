/** Several Redis servers for one test: alone, watched by Sentinels, or as a cluster. They end with the test. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { LOOPBACK, probePort } from '../../../src/redis/free-port.ts';
import { guardAgainstParentDeath } from '../../../src/redis/parent-guard.ts';
import { until } from './until.ts';

/** How often a free port may be taken by another process before its server binds it. */
const PORT_TRIES = 5;
const SLOTS = 16_384;
const NAME = 'primary';

/** A server that runs. */
export interface Server {
  readonly port: number;
  readonly url: string;
  /** A connection for the test itself. */
  readonly client: Redis;
  readonly isAlive: () => boolean;
  /** SIGKILL; returns when it is gone. */
  readonly kill: () => Promise<void>;
}

/** All servers of a test. */
export class RedisServers implements AsyncDisposable {
  readonly #dir: string;
  readonly #program: string;
  readonly #servers: Server[] = [];

  /** `dir` must exist. */
  constructor(dir: string, program = 'redis-server') {
    this.#dir = dir;
    this.#program = program;
  }

  /** Starts one with these options (argv) beside the usual ones. */
  async start(...options: readonly string[]): Promise<Server> {
    return await this.#started((dir) => [
      ...['--dir', dir, '--appendonly', 'yes', '--save', '', '--maxmemory-policy', 'noeviction'],
      ...options,
    ]);
  }

  /** One primary, two replicas and three Sentinels; answers the address to use, and the primary. */
  async startSentinels(): Promise<{ readonly url: string; readonly primary: Server }> {
    const primary = await this.start();
    const replicas = await Promise.all(
      [0, 1].map(async () => await this.start('--replicaof', LOOPBACK, `${primary.port}`)),
    );
    for (const { client } of replicas)
      await until('a replica is in step', async () =>
        (await client.info('replication')).includes('master_link_status:up'),
      );
    const sentinels = await Promise.all([0, 1, 2].map(async () => await this.#sentinel(primary)));
    for (const { client } of sentinels) {
      await until('a Sentinel knows all others', async () => {
        return (await client.info('sentinel')).includes('slaves=2,sentinels=3');
      });
    }
    return { url: `redis+sentinel://${sentinels.map(({ port }) => `${LOOPBACK}:${port}`).join(',')}/${NAME}`, primary };
  }

  /** A cluster of three primaries; answers the address to use, and the servers. */
  async startCluster(): Promise<{ readonly url: string; readonly servers: readonly Server[] }> {
    const buses = await Promise.all([0, 1, 2].map(async () => await probePort(0)));
    const servers = await Promise.all(
      buses.map(async (bus) => await this.start('--cluster-enabled', 'yes', '--cluster-port', `${bus}`)),
    );
    for (const [i, { client }] of servers.entries()) {
      const [from, to] = [i, i + 1].map((n) => Math.floor((n * SLOTS) / servers.length));
      await client.call('CLUSTER', 'ADDSLOTSRANGE', `${from}`, `${(to ?? 0) - 1}`);
      await client.call('CLUSTER', 'SET-CONFIG-EPOCH', `${i + 1}`);
    }
    for (const [i, { port }] of servers.entries())
      await servers[0]?.client.call('CLUSTER', 'MEET', LOOPBACK, `${port}`, `${buses[i]}`);
    for (const { client } of servers) {
      await until('the cluster is whole', async () => {
        const info = String(await client.call('CLUSTER', 'INFO'));
        return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3');
      });
    }
    return { url: `redis+cluster://${servers.map(({ port }) => `${LOOPBACK}:${port}`).join(',')}`, servers };
  }

  /** Ends all of them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map(async (server) => await server.kill()));
  }

  async #sentinel(primary: Server): Promise<Server> {
    return await this.#started((dir) => {
      const file = join(dir, 'sentinel.conf');
      const settings = [
        `sentinel monitor ${NAME} ${LOOPBACK} ${primary.port} 2`,
        `sentinel down-after-milliseconds ${NAME} 1000`,
        `sentinel failover-timeout ${NAME} 5000`,
        `dir ${dir}`,
      ];
      writeFileSync(file, `${settings.join('\n')}\n`);
      return [file, '--sentinel'];
    });
  }

  async #started(argsIn: (dir: string) => readonly string[]): Promise<Server> {
    for (let tries = 1; ; tries += 1) {
      const port = await probePort(0);
      const dir = join(this.#dir, `${port}`);
      mkdirSync(dir);
      const child = spawn(this.#program, [...argsIn(dir), '--bind', LOOPBACK, '--port', `${port}`], {
        stdio: 'ignore',
        detached: true,
      });
      const server = serverOf(child, port);
      this.#servers.push(server);
      await until('a server answers, or has ended', async () => {
        return !server.isAlive() || (await server.client.ping().catch(() => undefined));
      });
      if (server.isAlive()) return server;
      await server.kill();
      if (tries === PORT_TRIES) throw new Error(`${this.#program} ended at its start; see ${dir}`);
    }
  }
}

function serverOf(child: ChildProcess, port: number): Server {
  const exited = once(child, 'exit');
  exited.catch(() => {});
  const guard = guardAgainstParentDeath(['kill', '-KILL', `${child.pid}`]);
  const client = new Redis(port, LOOPBACK, { maxRetriesPerRequest: 0, retryStrategy: () => 50 });
  client.on('error', () => {});
  const isAlive = (): boolean => child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  return {
    port,
    url: `redis://${LOOPBACK}:${port}`,
    client,
    isAlive,
    kill: async () => {
      client.disconnect();
      if (isAlive()) child.kill('SIGKILL');
      await exited.catch(() => {});
      await guard.dismiss();
    },
  };
}

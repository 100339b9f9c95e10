/** What Redis and the workers have spent so far, and the difference of two readings: what something cost. */

import type { Redis } from 'ioredis';

/** What Redis has spent so far. */
export interface RedisReading {
  readonly cpuUs: number;
  /** Commands, those inside scripts as well. */
  readonly commands: number;
  /** Scripts that ran. */
  readonly scripts: number;
  /** Reads from sockets: what arrived together counts once, so that this is close to the number of round trips. */
  readonly reads: number;
}

/** What a worker process has spent so far, and what it holds now. */
export interface ProcessReading {
  readonly cpuUs: number;
  readonly rssBytes: number;
}

/** What was spent from one moment to another. */
export interface Cost extends RedisReading {
  /** Of all worker processes. */
  readonly workerCpuUs: number;
  readonly wallMs: number;
}

/** Reads what Redis tells about itself. */
export async function readRedis(redis: Redis): Promise<RedisReading> {
  const info = `${await redis.info('cpu')}\n${await redis.info('stats')}\n${await redis.info('commandstats')}`;
  const calls = [...info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(([, name, count]) => ({
    name: name ?? '',
    count: Number(count),
  }));
  const sum = (list: typeof calls): number => list.reduce((all, { count }) => all + count, 0);
  return {
    cpuUs: 1e6 * (field(info, 'used_cpu_user') + field(info, 'used_cpu_sys')),
    commands: sum(calls),
    scripts: sum(calls.filter(({ name }) => /^(?:eval|evalsha|fcall)(?:_ro)?$/.test(name))),
    reads: field(info, 'total_reads_processed'),
  };
}

/** How many bytes the data of Redis take, as it says itself. */
export async function memoryOf(redis: Redis): Promise<number> {
  const info = await redis.info('memory');
  // What a client has just sent or is to be sent lies in its buffers for some seconds, and so does what goes to the file.
  return ['mem_clients_normal', 'mem_aof_buffer'].reduce(
    (rest, buffers) => rest - field(info, buffers),
    field(info, 'used_memory'),
  );
}

/** What each command has cost since Redis started or was told to forget, the dearest first. */
export async function commandStats(redis: Redis): Promise<string> {
  const usec = (line: string): number => Number(/usec=(\d+)/.exec(line)?.[1] ?? 0);
  const lines = (await redis.info('commandstats')).split('\r\n').filter((line) => line.startsWith('cmdstat_'));
  return lines.sort((a, b) => usec(b) - usec(a)).join('\n');
}

function field(info: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1] ?? Number.NaN);
}

/** What the lock servers must be like: asked one by one, judged together. */

import { lockServerConnection, whyNoAnswer, withoutCredentials } from './connect.ts';
import type { Finding } from './health.ts';
import { infoField } from './readiness.ts';

/** How long one may take to answer here; a claim waits less. */
const ANSWER_WITHIN_MS = 2_000;

interface Answer {
  readonly shown: string;
  /** Undefined: it did not answer. */
  readonly info: string | undefined;
  readonly message: string;
}

/** A finding for each of the servers that vote, and whether there is a quorum. Empty if there are none. */
export async function lockServerFindings(urls: readonly string[]): Promise<Finding[]> {
  if (urls.length === 0) return [];
  const answers = await Promise.all(urls.map(ask));
  const runIds = answers.flatMap(({ info }) => (info === undefined ? [] : infoField(info, 'run_id')));
  return [...answers.map(serverFinding), quorum(urls.length, runIds)];
}

async function ask(url: string): Promise<Answer> {
  const shown = withoutCredentials(url);
  const redis = lockServerConnection(url, ANSWER_WITHIN_MS);
  try {
    const sentAt = Date.now();
    const [seconds] = await redis.time();
    const aheadMs = Number(seconds) * 1_000 - sentAt;
    const info = await redis.info();
    const clock = `its clock is ${Math.round(Math.abs(aheadMs) / 1_000)} s ${aheadMs < 0 ? 'behind' : 'ahead'}`;
    return { shown, info, message: `${shown} answers: Redis ${infoField(info, 'redis_version')}, ${clock}` };
  } catch (error) {
    return { shown, info: undefined, message: `${shown} ${whyNoAnswer(error as Error)}` };
  } finally {
    redis.disconnect();
  }
}

function serverFinding({ shown, info, message }: Answer): Finding {
  if (info === undefined)
    return { name: 'lock-server', ok: false, level: 'warn', message, next: `Start ${shown}, or correct its address.` };
  const policy = infoField(info, 'maxmemory_policy');
  const ok = policy === 'noeviction';
  const more = ok ? '' : `; its eviction policy is ${policy}: when it is full it drops claims`;
  const next = ok ? '' : 'Set `maxmemory-policy noeviction` in its configuration.';
  return { name: 'lock-server', ok, level: 'error', message: `${message}${more}`, next };
}

function quorum(count: number, runIds: readonly string[]): Finding {
  const needed = Math.floor(count / 2) + 1;
  const different = new Set(runIds).size;
  const isTwice = different < runIds.length;
  const ok = different >= needed && !isTwice;
  const message = `${different} of ${count} lock servers answer, ${needed} must${isTwice ? '; some of the addresses are one server' : ''}`;
  const next = isTwice
    ? 'Name each server by one address: one that votes twice is no quorum.'
    : 'Start the servers that do not answer: until then no task is begun.';
  return { name: 'lock-quorum', ok, level: 'error', message, next: ok ? '' : next };
}

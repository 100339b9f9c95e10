/**
 * Every option: its name in `signalbox.yaml` and as a flag, its environment variable, what it may be and its default.
 * The docs' table is held to this list.
 */

import { z } from 'zod';
import { checked, strict } from '../invalid.ts';
import { MAX_DURATION_MS, parseDuration } from '../task/duration.ts';
import { type Presets, presets } from '../task/presets.ts';
import { parseRedisAddress } from './redis-address.ts';
import { notify, webhooks } from './webhooks.ts';

/** The levels of the log, quietest last. */
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

const BYTE_UNITS: Readonly<Record<string, number>> = { '': 1, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30 };

/** A whole number, as a number or as the digits that a variable or a flag holds. */
function whole(min: number, max: number): z.ZodType<number, number | string> {
  return z.union([z.number(), z.string()]).transform((given, context) => {
    const value = typeof given === 'string' && !/^\s*\d+\s*$/.test(given) ? Number.NaN : Number(given);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    context.addIssue({ code: 'custom', message: `must be a whole number from ${min} to ${max}` });
    return z.NEVER;
  });
}

/** A duration within bounds, in ms. */
function duration(min: number, max: number, words: string): z.ZodType<number, number | string> {
  return z.union([z.number(), z.string()]).transform((given, context) => {
    const value = parseDuration(given);
    if (value !== undefined && value >= min && value <= max) return value;
    context.addIssue({ code: 'custom', message: `must be a duration ${words}, in ms or as text like 2s` });
    return z.NEVER;
  });
}

const bytes = z.union([z.number(), z.string()]).transform((given, context) => {
  const [, digits, unit = ''] = /^\s*(\d+)\s*([kmg]ib)?\s*$/i.exec(String(given)) ?? [];
  const value = Number(digits) * (BYTE_UNITS[unit.toLowerCase()] ?? 1);
  if (value >= 1024 && value <= 1024 * 2 ** 30) return value;
  context.addIssue({ code: 'custom', message: 'must be a size from 1KiB to 1024GiB, in bytes or as text like 64MiB' });
  return z.NEVER;
});

const redisUrl = checked((given) =>
  parseRedisAddress(given) === undefined
    ? 'must be an address like redis://127.0.0.1:6379, rediss://host:6380, redis+sentinel://host:26379,host:26379/name or redis+cluster://host:6379,host:6379'
    : undefined,
);

/** A list, or its text with commas, as a variable holds it. */
const lockRedisUrls = z.union([z.array(z.string()), z.string()]).transform((given, context) => {
  const urls = (typeof given === 'string' ? given.split(',') : given)
    .map((url) => url.trim())
    .filter((url) => url !== '');
  if (urls.every((url) => parseRedisAddress(url)?.kind === 'server')) return [...new Set(urls)];
  context.addIssue({ code: 'custom', message: 'must be addresses like redis://a:6379,redis://b:6379,redis://c:6379' });
  return z.NEVER;
});

const queue = checked((given) => (/^[a-z0-9-]{1,40}$/.test(given) ? undefined : 'must be 1 to 40 of a-z, 0-9 and -'));

const token = checked((given) =>
  /^[\x21-\x7e]{8,512}$/.test(given) ? undefined : 'must be 8 to 512 characters without spaces',
);

/** By name, or the JSON of that, as a variable holds it. */
const presetsOption: z.ZodType<Presets, z.input<typeof presets> | string> = z.preprocess(
  (given) => (typeof given === 'string' ? parsedJson(given) : given),
  presets,
) as never;

const dataDir = checked((given) => (given === '' || /[\u0000-\u001f]/.test(given) ? 'must be a folder' : undefined));

/** What users may set. */
export const optionsSchema = strict({
  redisUrl: redisUrl.exactOptional().describe('The Redis that holds the queue.'),
  queue: queue.default('default').describe('The queue’s name. Exclusion is promised within a queue.'),
  dataDir: dataDir.default('.signalbox').describe('Where mirrors, workspaces, logs and artifacts are kept.'),
  leaseTtl: duration(500, 600_000, 'from 500ms to 10m')
    .prefault('10s')
    .describe('A lease’s TTL; all timings follow from it.'),
  maxParallelRunners: whole(1, 100_000).exactOptional().describe('The most runners in the whole fleet; unset: no cap.'),
  concurrency: whole(1, 256).prefault(4).describe('The most runners in one worker.'),
  drainTimeout: duration(0, 7 * 86_400_000, 'of at most 7d')
    .exactOptional()
    .describe('How long the runs of a stopped worker may go on before they go back; unset: 25s, with up 5s.'),
  keepAfter: duration(1, MAX_DURATION_MS, 'from 1ms to 30d')
    .prefault('60s')
    .describe('How long others may pass a waiting task before what it needs is kept for it.'),
  ledgerRetention: duration(1_000, 366 * 86_400_000, 'from 1s to 366d')
    .prefault('30d')
    .describe('How long after its last entry a task’s ledger stays on the remote until prune takes it away.'),
  diskRetention: duration(1_000, 366 * 86_400_000, 'from 1s to 366d')
    .prefault('30d')
    .describe('How long artifacts of ended tasks, and mirrors that no run uses, stay on a worker’s disk.'),
  historyLimit: whole(1, 1_000_000).prefault(1000).describe('How many finished tasks are kept.'),
  logLimit: bytes.prefault('64MiB').describe('The most output that is kept of one step.'),
  memoryLimit: bytes.exactOptional().describe('The most memory that a step may use; unset: no limit.'),
  processLimit: whole(1, 1_000_000)
    .exactOptional()
    .describe('The most processes and threads that a step may have at once; unset: no limit.'),
  diskLimit: bytes.exactOptional().describe('The most that a run’s folder may hold; unset: no limit.'),
  logLevel: z.enum(LOG_LEVELS).default('info').describe('The least important log lines that are written.'),
  token: token.exactOptional().describe('The bearer token that the HTTP API asks for; unset: none.'),
  readToken: token.exactOptional().describe('A second token, with which one may look and not steer; unset: none.'),
  lockRedisUrls: lockRedisUrls
    .prefault([])
    .describe('Independent Redis servers, comma-separated, a quorum of which must confirm each claim; unset: none.'),
  presets: presetsOption
    .prefault({})
    .describe('How coding agents are called, by name, beside the built-in ones; as JSON in the variable.'),
  signingKey: token.exactOptional().describe('The key that signs tasks; unset: they are not signed.'),
  webhooks: webhooks
    .prefault([])
    .describe('Who is told when tasks fail, are set aside, are blocked for long or succeed; a variable holds JSON.'),
  notify: notify.prefault([]).describe('Addresses that are told of the same as webhooks without a secret are.'),
  notifyBlockedAfter: duration(1_000, MAX_DURATION_MS, 'from 1s to 30d')
    .prefault('15m')
    .describe('How long a task is blocked before webhooks are told.'),
});

/** What users may set, by name: `signalbox.yaml`, flags and `defineConfig` speak of options like this. */
export type Options = z.input<typeof optionsSchema>;
/** An option's name. */
export type OptionName = keyof typeof optionsSchema.shape;

/** The environment variable of each option. */
export const VARIABLES: Readonly<Record<OptionName, string>> = {
  redisUrl: 'REDIS_URL',
  queue: 'SIGNALBOX_QUEUE',
  dataDir: 'SIGNALBOX_DATA',
  leaseTtl: 'SIGNALBOX_LEASE_TTL',
  maxParallelRunners: 'SIGNALBOX_MAX_PARALLEL_RUNNERS',
  concurrency: 'SIGNALBOX_CONCURRENCY',
  drainTimeout: 'SIGNALBOX_DRAIN_TIMEOUT',
  keepAfter: 'SIGNALBOX_KEEP_AFTER',
  ledgerRetention: 'SIGNALBOX_LEDGER_RETENTION',
  diskRetention: 'SIGNALBOX_DISK_RETENTION',
  historyLimit: 'SIGNALBOX_HISTORY_LIMIT',
  logLimit: 'SIGNALBOX_LOG_LIMIT',
  memoryLimit: 'SIGNALBOX_MEMORY_LIMIT',
  processLimit: 'SIGNALBOX_PROCESS_LIMIT',
  diskLimit: 'SIGNALBOX_DISK_LIMIT',
  logLevel: 'SIGNALBOX_LOG_LEVEL',
  token: 'SIGNALBOX_TOKEN',
  readToken: 'SIGNALBOX_READ_TOKEN',
  lockRedisUrls: 'SIGNALBOX_LOCK_REDIS',
  presets: 'SIGNALBOX_PRESETS',
  signingKey: 'SIGNALBOX_SIGNING_KEY',
  webhooks: 'SIGNALBOX_WEBHOOKS',
  notify: 'SIGNALBOX_NOTIFY',
  notifyBlockedAfter: 'SIGNALBOX_NOTIFY_BLOCKED_AFTER',
};

/** The variables of options that are secret, or have a password in them: a file may hold the value instead. */
export const SECRET_VARIABLES: readonly string[] = [
  VARIABLES.redisUrl,
  VARIABLES.lockRedisUrls,
  VARIABLES.token,
  VARIABLES.readToken,
  VARIABLES.signingKey,
];

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

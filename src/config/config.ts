/**
 * The configuration: `signalbox.yaml` (in the folder or above), overridden by the environment, overridden by flags.
 * It is read once into one frozen object; nothing else reads the environment.
 */

import { isAbsolute, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { SignalboxError } from '../errors.ts';
import { nearMiss, readBy } from '../invalid.ts';
import { plainData } from '../task/plain-data.ts';
import { BUILT_IN_PRESETS, type Presets } from '../task/presets.ts';
import { type OptionName, type Options, optionsSchema, SECRET_VARIABLES, VARIABLES } from './options.ts';
import { type Timings, timings } from './timings.ts';
import { findUp, readIfThere, upwards } from './up-file.ts';
import { type Webhook, webhooksOf } from './webhooks.ts';

/** Where the address of Redis came from. */
export type RedisFrom = 'flag' | 'env' | 'file' | 'up' | 'default';

/** The configuration. Durations are in ms, sizes in bytes, paths absolute. */
export interface Config extends Timings {
  readonly redisUrl: string;
  readonly redisFrom: RedisFrom;
  /** The lock servers' addresses, as given; empty: there are none. */
  readonly lockRedisUrls: readonly string[];
  readonly queue: string;
  readonly dataDir: string;
  /** Undefined: no cap. */
  readonly maxParallelRunners: number | undefined;
  /** The most runners in one worker. */
  readonly concurrency: number;
  /** How long runs may go on once their worker is stopped; undefined: the program's own default. */
  readonly drainTimeoutMs: number | undefined;
  readonly keepAfterMs: number;
  /** How long a ledger stays after its last entry. */
  readonly ledgerRetentionMs: number;
  /** How long artifacts of ended tasks and unused mirrors stay on the disk. */
  readonly diskRetentionMs: number;
  readonly historyLimit: number;
  readonly logLimitBytes: number;
  /** What a step may use; see `limit-watch.ts`. Undefined: no limit. */
  readonly memoryLimitBytes: number | undefined;
  readonly processLimit: number | undefined;
  readonly diskLimitBytes: number | undefined;
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  /** The bearer token of the HTTP API. */
  readonly token: string | undefined;
  /** The one with which one may only look. */
  readonly readToken: string | undefined;
  /** What tasks are signed with, and what workers ask of them. */
  readonly signingKey: string | undefined;
  /** Who is told of what; those of `notify` among them. */
  readonly webhooks: readonly Webhook[];
  /** How long a task is blocked before they are told. */
  readonly notifyBlockedAfterMs: number;
  /** How coding agents are called: the built-in presets and those of the user, which win. */
  readonly presets: Presets;
}

/** What `loadConfig` reads. */
export interface Sources {
  /** The environment: `process.env`, passed in by the program's entry. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder to begin in. */
  readonly cwd: string;
  /** Options from the command line; undefined ones count as not given. */
  readonly flags?: Readonly<Record<string, unknown>>;
  /** False: an `up` that runs here is not looked for, as by `up` itself. */
  readonly findUp?: boolean;
}

const DEFAULT_REDIS_URL = 'redis://127.0.0.1:6379';
const FILE = 'signalbox.yaml';
/** Variables that Signalbox sets for steps; they may be there when a step calls `signalbox`. */
const STEP_VARIABLES = /^SIGNALBOX_(TASK_ID|RUNNER_ID|RUN|WORKSPACE|BRANCH|SOCKET|SLOT_.*)$/;

interface Layer {
  readonly from: 'flag' | 'env' | 'file';
  readonly options: Readonly<Record<string, unknown>>;
  /** Relative paths in this layer count from here. */
  readonly folder: string;
  /** How this layer calls an option. */
  readonly nameOf: (option: string) => string;
}

/** Reads and checks all sources. Throws `INVALID`, with the option as its source spells it. */
export function loadConfig({ env, cwd, flags = {}, findUp: find = true }: Sources): Readonly<Config> {
  const layers = [fileLayer(cwd), envLayer(env, cwd), flagLayer(flags, cwd)].filter((layer) => layer !== undefined);
  for (const layer of layers) check(layer);
  const given: Options = layers.reduce((all, layer) => ({ ...all, ...withAbsolutePaths(layer) }), {});
  const dataDir = resolve(cwd, given.dataDir ?? '.signalbox');
  if (given.redisUrl !== undefined) {
    const from = layers.findLast((layer) => layer.options['redisUrl'] !== undefined)?.from ?? 'default';
    return freeze({ ...given, dataDir }, from);
  }
  const found = find ? findUp(cwd, dataDir) : undefined;
  if (found === undefined) return freeze({ ...given, dataDir }, 'default');
  const shared = { redisUrl: found.up.redisUrl, dataDir: given.dataDir ?? found.up.dataDir };
  return freeze({ ...given, ...shared }, 'up');
}

/** A configuration from options alone: no file, no environment. Relative paths count from the current folder. */
export function defineConfig(options: Options = {}): Readonly<Config> {
  const layer = flagLayer(options, resolve('.'));
  check(layer);
  const given: Options = withAbsolutePaths(layer);
  return freeze({ dataDir: resolve('.signalbox'), ...given }, given.redisUrl === undefined ? 'default' : 'flag');
}

function freeze(options: Options, redisFrom: RedisFrom): Readonly<Config> {
  const {
    leaseTtl,
    drainTimeout,
    keepAfter,
    ledgerRetention,
    diskRetention,
    logLimit,
    redisUrl,
    maxParallelRunners,
    token,
    ...same
  } = optionsSchema.parse(options);
  const { lockRedisUrls, signingKey, readToken, presets, memoryLimit, processLimit, diskLimit, ...others } = same;
  const { webhooks, notify, notifyBlockedAfter, ...rest } = others;
  return Object.freeze({
    ...rest,
    ...timings(leaseTtl),
    redisUrl: redisUrl ?? DEFAULT_REDIS_URL,
    redisFrom,
    drainTimeoutMs: drainTimeout,
    keepAfterMs: keepAfter,
    ledgerRetentionMs: ledgerRetention,
    diskRetentionMs: diskRetention,
    logLimitBytes: logLimit,
    memoryLimitBytes: memoryLimit,
    processLimit,
    diskLimitBytes: diskLimit,
    maxParallelRunners,
    token,
    readToken,
    signingKey,
    presets: Object.freeze({ ...BUILT_IN_PRESETS, ...presets }),
    lockRedisUrls: Object.freeze(lockRedisUrls),
    webhooks: Object.freeze(webhooksOf(webhooks, notify)),
    notifyBlockedAfterMs: notifyBlockedAfter,
  });
}

function fileLayer(cwd: string): Layer | undefined {
  for (const folder of upwards(cwd)) {
    const path = join(folder, FILE);
    const text = readIfThere(path);
    if (text !== undefined) return { from: 'file', options: readYaml(text, path), folder, nameOf: (option) => option };
  }
  return undefined;
}

function readYaml(text: string, path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parse(text, { schema: 'core', maxAliasCount: 100, logLevel: 'error' });
  } catch (cause) {
    const reason = (cause as Error).message.split('\n')[0];
    throw new SignalboxError('INVALID', `${path} is not YAML: ${reason}`, { next: 'Correct the file.', cause });
  }
  const options = plainData(value ?? {});
  if (typeof options === 'object' && options !== null && !Array.isArray(options))
    return options as Record<string, unknown>;
  throw new SignalboxError('INVALID', `${path} must hold options, each with its value`, { next: 'Correct the file.' });
}

function envLayer(env: Sources['env'], cwd: string): Layer {
  refuseMistyped(env);
  const entries = Object.entries(VARIABLES).map(([option, variable]) => [option, valueOf(env, variable, cwd)] as const);
  const options = Object.fromEntries(entries.filter(([, value]) => value !== undefined && value !== ''));
  return { from: 'env', options, folder: cwd, nameOf: (option) => VARIABLES[option as OptionName] };
}

/** A variable's value, or of one that is secret what the file holds that `<NAME>_FILE` names. */
function valueOf(env: Sources['env'], variable: string, cwd: string): string | undefined {
  const value = env[variable];
  const file = SECRET_VARIABLES.includes(variable) ? env[fileOf(variable)] : undefined;
  if ((value !== undefined && value !== '') || file === undefined || file === '') return value;
  const path = resolve(cwd, file);
  const text = readIfThere(path);
  if (text !== undefined) return text.trim();
  throw new SignalboxError('INVALID', `\`${fileOf(variable)}\` names ${path}, which is not there or cannot be read`, {
    field: fileOf(variable),
    next: 'Correct the path, or the permissions of the file.',
  });
}

function fileOf(variable: string): string {
  return `${variable}_FILE`;
}

/** A variable that is nearly one of ours is refused, since it would be passed over in silence; others are let be. */
function refuseMistyped(env: Sources['env']): void {
  const known = [...Object.values(VARIABLES), ...SECRET_VARIABLES.map(fileOf)];
  for (const variable of Object.keys(env)) {
    if (!variable.startsWith('SIGNALBOX_') || known.includes(variable) || STEP_VARIABLES.test(variable)) continue;
    const near =
      known.find((name) => variable === fileOf(name)) ??
      nearMiss(variable.replace('SIGNALBOX_REDIS_URL', 'REDIS_URL'), known, 0.05);
    if (near === undefined) continue;
    throw new SignalboxError('INVALID', `unknown variable \`${variable}\`: did you mean \`${near}\`?`, {
      field: variable,
      next: 'Correct its name or unset it.',
    });
  }
}

function flagLayer(flags: Readonly<Record<string, unknown>>, cwd: string): Layer {
  const options = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
  return { from: 'flag', options, folder: cwd, nameOf: (option) => option };
}

/** Checks one layer by itself, so that an error can name the option as that layer calls it. */
function check(layer: Layer): void {
  try {
    readBy(optionsSchema, layer.options, { what: 'the configuration' });
  } catch (error) {
    if (!(error instanceof SignalboxError) || error.field === undefined) throw error;
    const field = layer.nameOf(error.field) ?? error.field;
    const source = layer.from === 'file' ? ` (in ${join(layer.folder, FILE)})` : '';
    const message = `${error.message.replace(`\`${error.field}\``, `\`${field}\``)}${source}`;
    throw new SignalboxError(error.code, message, { field, next: error.next, details: error.details });
  }
}

function withAbsolutePaths(layer: Layer): Record<string, unknown> {
  const { dataDir } = layer.options;
  if (typeof dataDir !== 'string' || isAbsolute(dataDir)) return { ...layer.options };
  return { ...layer.options, dataDir: resolve(layer.folder, dataDir) };
}

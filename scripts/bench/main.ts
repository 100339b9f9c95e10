/** The bench: prints what it measures and asserts no speed. It fails only if exclusion or waking failed. */

import { setMaxListeners } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { openSandbox, type Sandbox } from '../sandbox/sandbox.ts';
import { stopSignal } from '../sandbox/stop-signal.ts';
import { Bench, type BenchParts } from './bench.ts';
import { HELP, type Options, readOptions } from './options.ts';
import { renderPage } from './page.ts';
import type { Question } from './question.ts';
import { commandStats } from './readings.ts';
import { type Asked, isSound, renderJson, renderText } from './report.ts';
import { settingOf } from './setting.ts';

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(options: Options): Promise<number> {
  using stopped = stopSignal();
  // As many wait for it as things are done at once.
  setMaxListeners(0, stopped.signal);
  const sandbox = await openSandbox({ name: 'bench' });
  const redis = new Redis(sandbox.redisUrl);
  try {
    const report = await measure(options, { sandbox, redis, signal: stopped.signal });
    writeFileSync(options.html, renderPage(report));
    process.stdout.write(options.json ? renderJson(report) : renderText(report));
    say(`the curves are in ${options.html}`);
    return isSound(report) ? 0 : 1;
  } catch (error) {
    say(stopped.signal.aborted ? 'stopped' : `the bench failed: ${(error as Error).stack}`);
    return stopped.signal.aborted ? 130 : 1;
  } finally {
    redis.disconnect();
    await sandbox.close();
  }
}

interface Means {
  readonly sandbox: Sandbox;
  readonly redis: Redis;
  readonly signal: AbortSignal;
}

async function measure({ questions, ...options }: Options, means: Means) {
  if (options.profileDir !== undefined) mkdirSync(options.profileDir, { recursive: true });
  const setting = await settingOf(means.redis, options.seed);
  const asked: Asked[] = [];
  for (const question of questions) asked.push(await ask(question, { ...options, ...means, say }));
  return { setting, asked };
}

async function ask(question: Question, parts: BenchParts): Promise<Asked> {
  const { redis, profileDir, signal } = parts;
  signal.throwIfAborted();
  await redis.config('RESETSTAT');
  const startedAt = performance.now();
  const answer = await question.run(new Bench(question.name, parts));
  const tookMs = performance.now() - startedAt;
  say(`${question.name}: ${(tookMs / 1_000).toFixed(0)} s`);
  if (profileDir !== undefined) {
    writeFileSync(join(profileDir, `${question.name}.commandstats.txt`), await commandStats(redis));
  }
  return { question, answer, tookMs };
}

function wanted(): Options | 'help' | undefined {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${HELP}`);
    return undefined;
  }
}

const options = wanted();
if (options === undefined) process.exitCode = 2;
else if (options === 'help') process.stdout.write(HELP);
else process.exitCode = await main(options);

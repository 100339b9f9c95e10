/** Loads Lua scripts: one `.lua` is one atomic operation, written beside the TypeScript that calls it. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Connection } from './connect.ts';
import { rethrow } from './refusal.ts';

const INCLUDE = /^-- @include (\S+)$/gm;

/**
 * The text of a `.lua` file in which each line `-- @include ./other.lua` is replaced by that file, once however often
 * it is named, since a script must be whole when Redis gets it.
 */
export function readScript(file: URL, seen = new Set<string>()): string {
  return readFileSync(file, 'utf8').replace(INCLUDE, (_line, path: string) => {
    const included = new URL(path, file);
    if (seen.has(included.href)) return '';
    seen.add(included.href);
    return readScript(included, seen);
  });
}

/** A script as Redis knows it: called by its hash, sent whole only when the server does not have it yet. */
export class Script {
  readonly #text: string;
  readonly #sha: string;

  constructor(file: URL) {
    this.#text = readScript(file);
    this.#sha = createHash('sha1').update(this.#text).digest('hex');
  }

  /** Runs the script; the caller turns the raw answer into a type at once. Throws REDIS_FULL. */
  async run(redis: Connection, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    return await this.#run(redis, keys, args).catch(rethrow);
  }

  async #run(redis: Connection, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    try {
      return await redis.evalsha(this.#sha, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return await redis.eval(this.#text, keys.length, ...keys, ...args);
    }
  }
}

/** Looks for the value of a secret wherever a world has left something (I9); on purpose without the code under test. */

import { type Dirent, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { git } from './remote.ts';
import type { World } from './world.ts';

/** A secret whose encodings differ from one another. */
export function newCanary(): string {
  return `c4n@ry/+"t\u00f6ken" ${Math.random().toString(36).slice(2)}~end`;
}

/** Where the world's canary is to be seen, in any of its spellings: Redis, files, remotes, logs, views, arguments. */
export async function findCanary(world: World): Promise<string[]> {
  if (world.canary === undefined) return [];
  const isIn = finder(world.canary);
  const views = await Promise.all([...world.ledger.keys()].map((id) => world.client.get(id)));
  const said = world.workers.flatMap((worker) => [
    ...worker.events().map((e) => JSON.stringify(e)),
    ...worker.complaints,
  ]);
  const places: (readonly [string, string])[] = [
    ...(await keysOf(world)),
    ...filesBelow(world.dataDir).map((path): [string, string] => [path, readOf(path)]),
    ...world.remotes.map(({ dir }): [string, string] => [dir, objectsOf(dir)]),
    ...said.map((line): [string, string] => ['a worker’s log', line]),
    ...views.map((view): [string, string] => [`show ${view.id}`, JSON.stringify(view)]),
    ...commandLines(),
  ];
  return places.filter(([place, text]) => isIn(text) || isIn(place)).map(([place]) => place);
}

/** Tells whether a text has the secret in it: raw or encoded, in one piece or broken into lines. */
function finder(secret: string): (text: string) => boolean {
  const inBase64 = [0, 1, 2].map((shift) => {
    const text = Buffer.from(`${'x'.repeat(shift)}${secret}`).toString('base64');
    return text.slice(shift === 0 ? 0 : shift + 1, -4);
  });
  const escaped = JSON.stringify(secret).slice(1, -1);
  const forms = [secret, encodeURIComponent(secret), escaped, JSON.stringify(escaped).slice(1, -1), ...inBase64];
  const all = [...forms, ...forms.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'))];
  // Files are read as bytes.
  const spellings = new Set(all.flatMap((form) => [form, Buffer.from(form).toString('latin1')]));
  return (text) => {
    const joined = text.replace(/\r|\n|\\r|\\n/g, '');
    return [...spellings].some((spelling) => text.includes(spelling) || joined.includes(spelling));
  };
}

/** All keys of the queue with what they hold. */
async function keysOf({ client }: World): Promise<[string, string][]> {
  const { redis, keys } = client.queue;
  const names = await redis.keys(`${keys.prefix}*`);
  return await Promise.all(
    names.map(async (name): Promise<[string, string]> => {
      const type = await redis.type(name);
      if (type === 'hash') return [name, JSON.stringify(await redis.hgetall(name))];
      if (type === 'list') return [name, JSON.stringify(await redis.lrange(name, 0, -1))];
      if (type === 'set') return [name, JSON.stringify(await redis.smembers(name))];
      if (type === 'zset') return [name, JSON.stringify(await redis.zrange(name, 0, '-1'))];
      if (type === 'stream') return [name, JSON.stringify(await redis.xrange(name, '-', '+'))];
      return [name, (await redis.get(name)) ?? ''];
    }),
  );
}

function filesBelow(folder: string): string[] {
  const entries: Dirent[] = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** The names of all refs, and all objects, whether anything leads to them or not. */
function objectsOf(dir: string): string {
  return git(dir, 'for-each-ref') + git(dir, 'cat-file', '--batch', '--batch-all-objects', '--unordered');
}

/** What every process of this machine was started with. */
function commandLines(): [string, string][] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid): [string, string] => [`process ${pid}`, readOf(`/proc/${pid}/cmdline`)]);
}

/** Empty for what is gone meanwhile. */
function readOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

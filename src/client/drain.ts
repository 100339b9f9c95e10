/** Lets workers end what they run and leave, from afar. */

import { SignalboxError } from '../errors.ts';
import { nearMiss } from '../invalid.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import { type RegisteredWorker, registeredWorkers } from '../runner/registry.ts';

/** A worker that was told to leave. */
export interface DrainedWorker {
  readonly id: string;
  readonly name: string;
}

/** How often it is looked whether they have left; those that have not are told again, as a message may be lost. */
const LOOK_EVERY_MS = 500;

/**
 * Tells workers, by id or name, or all, to take no more tasks and to leave when they have ended what they run. With
 * `wait` it resolves when they have left. Throws NOT_FOUND for a worker that is not there, and tells none then.
 */
export async function drain(
  queue: TaskQueue,
  { names = [], wait = false }: { readonly names?: readonly string[]; readonly wait?: boolean | undefined },
): Promise<DrainedWorker[]> {
  const present = await registeredWorkers(queue.redis, queue.keys);
  for (const name of names) if (!present.some((worker) => isCalled(worker, name))) throw notThere(name, present);
  const chosen =
    names.length === 0 ? present : present.filter((worker) => names.some((name) => isCalled(worker, name)));
  for (let left = chosen; left.length > 0; left = await stillThere(queue, left)) {
    const ids = left.map(({ id }) => id);
    await queue.redis.publish(queue.keys.channel('control'), JSON.stringify({ drain: ids }));
    if (!wait) break;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return chosen.map(({ id, name }) => ({ id, name }));
}

async function stillThere({ redis, keys }: TaskQueue, some: readonly RegisteredWorker[]): Promise<RegisteredWorker[]> {
  const present = new Set((await registeredWorkers(redis, keys)).map(({ id }) => id));
  return some.filter(({ id }) => present.has(id));
}

function isCalled({ id, name }: RegisteredWorker, word: string): boolean {
  return id === word || name === word;
}

function notThere(word: string, present: readonly RegisteredWorker[]): SignalboxError {
  const near = nearMiss(
    word,
    present.flatMap(({ id, name }) => [name, id]),
  );
  const names = present.map(({ name }) => name);
  return new SignalboxError('NOT_FOUND', `There is no worker ${JSON.stringify(word)}.`, {
    next:
      near === undefined
        ? `${names.length === 0 ? 'No worker is running' : `The workers are ${names.join(', ')}`}; see \`signalbox status\`.`
        : `Did you mean \`${near}\`? See \`signalbox status\`.`,
  });
}

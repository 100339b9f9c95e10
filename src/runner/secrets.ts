/** The values of the secrets that tasks name: from this machine's environment or its files, never from Redis. */

import { readFile } from 'node:fs/promises';
import { SignalboxError } from '../errors.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import { parseEnvelope } from '../task/stored.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * A task's secrets by name: each the variable of that name, or the file that `<NAME>_FILE` names. Throws `WORKSPACE`
 * for one that is neither.
 */
export async function readSecrets(
  names: readonly string[],
  { env, host }: { readonly env: Env; readonly host: string },
): Promise<Record<string, string>> {
  const secrets: Record<string, string> = {};
  for (const name of names) {
    const value = await valueOf(name, env);
    if (value === undefined) {
      throw new SignalboxError('WORKSPACE', `The secret ${name} is not known to the worker on ${host}.`, {
        field: 'secrets',
        next: `Set ${name}, or ${name}_FILE to a file that holds it, in the environment of the workers.`,
      });
    }
    secrets[name] = value;
  }
  return secrets;
}

/** The values that this machine knows of a task's secrets, to mask them in what a dead run has left. */
export async function knownSecrets(taskId: string, queue: TaskQueue, env: Env): Promise<string[]> {
  const [record] = await queue.store.getMany([taskId]);
  if (record === undefined) return [];
  const values = namesIn(record.envelope).map(async (name) => await valueOf(name, env).catch(() => undefined));
  return (await Promise.all(values)).filter((value) => value !== undefined);
}

/** A record that somebody has damaged names none. */
function namesIn(envelope: string): readonly string[] {
  try {
    return parseEnvelope(envelope).secrets;
  } catch {
    return [];
  }
}

async function valueOf(name: string, env: Env): Promise<string | undefined> {
  const file = env[`${name}_FILE`];
  return env[name] ?? (file === undefined ? undefined : (await readFile(file, 'utf8')).trimEnd());
}

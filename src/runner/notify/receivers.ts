/** The receivers of a worker: what its configuration names, with their secrets from its environment. */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Config } from '../../config/config.ts';
import type { News } from '../../config/webhooks.ts';
import { SignalboxError } from '../../errors.ts';

/** Somebody who is told. */
export interface Receiver {
  /** What Redis knows it by. */
  readonly key: string;
  readonly url: string;
  /** All that may be shown of its address. */
  readonly host: string;
  readonly secret: string | undefined;
  readonly on: readonly News[];
}

type Env = Readonly<Record<string, string | undefined>>;

/** Reads the secrets, from the variable or the file that `<NAME>_FILE` names. Throws INVALID for one that is not there. */
export async function readReceivers({ webhooks }: Pick<Config, 'webhooks'>, env: Env): Promise<Receiver[]> {
  return await Promise.all(
    webhooks.map(async ({ url, secret, on }, i) => ({
      key: createHash('sha256').update(url).digest('hex').slice(0, 16),
      url,
      host: new URL(url).host,
      secret: secret === undefined ? undefined : await readSecret(secret, env, `webhooks[${i}].secret`),
      on,
    })),
  );
}

async function readSecret(name: string, env: Env, field: string): Promise<string> {
  const file = env[`${name}_FILE`];
  const value = env[name] ?? (file === undefined ? undefined : await readFile(file, 'utf8').catch(() => ''));
  if (value !== undefined && value.trim() !== '') return value.trim();
  throw new SignalboxError('INVALID', `\`${field}\` names ${name}, which this worker does not have.`, {
    field,
    next: `Set ${name}, or ${name}_FILE to a file that holds it, in the environment of the workers.`,
  });
}

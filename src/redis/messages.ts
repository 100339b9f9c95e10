/** Messages on pub/sub channels. Anybody who can reach Redis can send one, so each is checked before it is heard. */

import type { z } from 'zod';

/** The message, or undefined if it is not of this form: of another version, or not ours. */
export function readMessage<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

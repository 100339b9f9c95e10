/** Signatures of messages, as the Standard Webhooks specification has them, so that its libraries verify them. Pure. */

import { createHmac } from 'node:crypto';

/** What is signed. */
export interface Signable {
  readonly id: string;
  /** When this attempt is made, in ms since 1970. */
  readonly atMs: number;
  readonly body: string;
}

const PREFIX = 'whsec_';

/** The headers of a message; without a secret it is not signed. */
export function webhookHeaders({ id, atMs, body }: Signable, secret: string | undefined): Record<string, string> {
  const timestamp = String(Math.floor(atMs / 1_000));
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp };
  if (secret === undefined) return headers;
  const signature = createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { ...headers, 'webhook-signature': `v1,${signature}` };
}

/** `whsec_` and base64, as the specification writes secrets; any other text is taken as it is. */
function keyOf(secret: string): Buffer {
  return secret.startsWith(PREFIX) ? Buffer.from(secret.slice(PREFIX.length), 'base64') : Buffer.from(secret);
}

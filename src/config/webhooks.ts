/** The options about webhooks: whom workers tell, of what. Only these addresses are ever called; none comes from a task. */

import { z } from 'zod';
import { checked, strict } from '../invalid.ts';

/** What a webhook can be told of. */
export const NEWS = ['failed', 'set_aside', 'blocked', 'succeeded'] as const;
/** One of `NEWS`. */
export type News = (typeof NEWS)[number];

/** Somebody who is told. */
export interface Webhook {
  readonly url: string;
  /** The variable of the workers that holds the secret that messages are signed with; undefined: they are not signed. */
  readonly secret: string | undefined;
  readonly on: readonly News[];
}

/** What most want to hear of: what needs somebody. */
const DEFAULT_ON: readonly News[] = ['failed', 'set_aside', 'blocked'];
const MOST = 20;

function urlProblem(given: string): string | undefined {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    return 'must be an address like https://chat.example.com/hooks/1';
  }
  if (url.username !== '' || url.password !== '') return 'must hold no user and no password';
  return undefined;
}

const webhook = strict({
  url: checked(urlProblem),
  secret: checked((given) =>
    /^[A-Za-z_]\w{0,99}$/.test(given) ? undefined : 'must be the name of a variable that holds the secret',
  ).exactOptional(),
  on: z.array(z.enum(NEWS)).min(1).exactOptional(),
});

/** The list, or its text as JSON, as a variable holds it. */
export const webhooks = z.preprocess(readJson, z.array(webhook).max(MOST)) as z.ZodType<
  z.output<typeof webhook>[],
  z.input<typeof webhook>[] | string
>;

/** Addresses, or their text with commas, as a variable holds it. */
export const notify = z.preprocess(
  (given) =>
    typeof given === 'string'
      ? given
          .split(',')
          .map((url) => url.trim())
          .filter((url) => url !== '')
      : given,
  z.array(checked(urlProblem)).max(MOST),
) as z.ZodType<string[], string[] | string>;

/** All who are told, one entry an address and secret. */
export function webhooksOf(hooks: readonly z.output<typeof webhook>[], urls: readonly string[]): Webhook[] {
  const named = hooks.map(({ url, secret, on = DEFAULT_ON }) => ({ url, secret, on }));
  return [...named, ...urls.map((url) => ({ url, secret: undefined, on: DEFAULT_ON }))];
}

/** What is no JSON is left as it is, so that the error says what was expected. */
function readJson(given: unknown): unknown {
  if (typeof given !== 'string') return given;
  try {
    return JSON.parse(given);
  } catch {
    return given;
  }
}

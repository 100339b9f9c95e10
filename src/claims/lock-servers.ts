/**
 * The lock servers: independent Redis servers that confirm a claim after the queue's own Redis has admitted it, by
 * quorum, with a TTL. They know nothing of order, tickets, quotas and what is kept for a merge; they are there for the
 * day on which the queue's Redis has forgotten a claim whose holder still works.
 *
 * redlock asks them all at once and counts. One that is dead, slow or recovering (see `server-lock.lua`) says no by not
 * saying yes in time, and a quorum of the others is enough.
 */

import Redlock, { ExecutionError, Lock, type ScriptClient } from 'redlock';
import type { Config } from '../config/config.ts';
import { type Connection, lockServerConnection, whyNoAnswer, withoutCredentials } from '../redis/connect.ts';
import { type Keys, queueKeys } from '../redis/keys.ts';
import { readScript } from '../redis/scripts.ts';
import { type ClaimNode, parseNode } from './claim-set.ts';

/** Where the lock servers are, and how long what they hold lives without renewal. */
export interface LockServersOptions {
  readonly urls: readonly string[];
  readonly keys: Keys;
  readonly leaseTtlMs: number;
}

/** What is entered for a holder: redlock's value, and the mode of each node. */
interface Entered {
  readonly value: string;
  nodes: ReadonlyMap<string, string>;
  /** Only its branches are: it runs beside the holders of its paths. */
  readonly isBeside: boolean;
}

const NEVER = Number.MAX_SAFE_INTEGER;

/**
 * How long a server may take to answer, as a part of the TTL: half of the margin by which a holder stops before its
 * claim ends, so that a slow one costs no claim.
 */
const ANSWER_WITHIN = 1 / 10;

/** What of a configuration says where the lock servers are. */
type Places = Partial<Pick<Config, 'redisUrl' | 'lockRedisUrls'>>;

/** The addresses whose servers vote: the queue's own Redis makes an even number of them odd. */
export function votingServers({ redisUrl, lockRedisUrls = [] }: Places): readonly string[] {
  const isEven = lockRedisUrls.length % 2 === 0;
  if (!isEven || lockRedisUrls.length === 0 || redisUrl === undefined || lockRedisUrls.includes(redisUrl)) {
    return lockRedisUrls;
  }
  return [redisUrl, ...lockRedisUrls];
}

/** The lock servers that a configuration names, or undefined if there are none. */
export function lockServers(config: Places & Pick<Config, 'queue' | 'leaseTtlMs'>): LockServers | undefined {
  const urls = votingServers(config);
  const { queue, leaseTtlMs } = config;
  return urls.length === 0 ? undefined : new LockServers({ urls, keys: queueKeys(queue), leaseTtlMs });
}

/** The lock servers of a queue. They are connected to when first asked. */
export class LockServers {
  readonly #options: LockServersOptions;
  readonly #servers: readonly LockServer[];
  readonly #redlock: Redlock;
  readonly #entered = new Map<string, Entered>();

  constructor(options: LockServersOptions) {
    this.#options = options;
    const timeoutMs = Math.ceil(options.leaseTtlMs * ANSWER_WITHIN);
    this.#servers = options.urls.map((url) => new LockServer(url, timeoutMs));
    const lock = readScript(new URL('./server-lock.lua', import.meta.url));
    const unlock = readScript(new URL('./server-unlock.lua', import.meta.url));
    this.#redlock = new Redlock(
      this.#servers,
      { retryCount: 0 },
      { acquireScript: () => lock, extendScript: () => lock, releaseScript: () => unlock },
    );
  }

  /**
   * Enters a claim on a quorum of the servers; answers why not if they do not agree, and takes back what single ones
   * have entered.
   */
  async enter(
    holder: string,
    claim: { readonly nodes: readonly ClaimNode[]; readonly isBeside: boolean },
  ): Promise<string | undefined> {
    const nodes = withMore(new Map(), claim.nodes, claim.isBeside);
    try {
      const { value } = await this.#redlock.acquire([this.#resource(holder, nodes)], this.#options.leaseTtlMs);
      this.#entered.set(holder, { value, nodes, isBeside: claim.isBeside });
      return undefined;
    } catch (error) {
      return await this.#whyNot(error);
    }
  }

  /** Renews on a quorum what was entered, and enters `more` with it; answers why not if they do not agree. */
  async renew(holder: string, more: readonly ClaimNode[] = []): Promise<string | undefined> {
    const entered = this.#entered.get(holder);
    if (entered === undefined) return 'nothing was entered there';
    const nodes = withMore(entered.nodes, more, entered.isBeside);
    try {
      await this.#redlock.extend(this.#asRedlock(holder, { ...entered, nodes }), this.#options.leaseTtlMs);
      if (more.length > 0) entered.nodes = nodes;
      return undefined;
    } catch (error) {
      return await this.#whyNot(error);
    }
  }

  /** Takes a claim off all servers that answer; on the others its TTL ends it. Never rejects. */
  async leave(holder: string): Promise<void> {
    const entered = this.#entered.get(holder);
    if (entered === undefined) return;
    this.#entered.delete(holder);
    await this.#redlock.release(this.#asRedlock(holder, entered)).catch(() => {});
  }

  /** Closes the connections. */
  close(): void {
    for (const server of this.#servers) server.close();
  }

  /** redlock passes on nothing but its resources, a value and a TTL, so the one resource is the key and the nodes. */
  #resource(holder: string, nodes: ReadonlyMap<string, string>): string {
    return `${this.#options.keys.key('lock-lease', holder)}\n${JSON.stringify([...nodes])}`;
  }

  /** As never expiring, like all our locks: `claim.ts` keeps the deadline. */
  #asRedlock(holder: string, { value, nodes }: Entered): Lock {
    return new Lock(this.#redlock, [this.#resource(holder, nodes)], value, [], NEVER);
  }

  async #whyNot(error: unknown): Promise<string> {
    const attempts = error instanceof ExecutionError ? await Promise.all(error.attempts) : [];
    const against = attempts.flatMap(({ votesAgainst }) => [...votesAgainst]);
    const reasons = against.map(([server, { message }]) => `${(server as LockServer).name} ${message}`);
    return `${against.length} of ${this.#servers.length} lock servers did not agree: ${reasons.join('; ')}`;
  }
}

type Args = readonly (string | number)[];

/** What redlock takes for a Redis client: it takes key and nodes apart again, and turns a no into words. */
class LockServer implements ScriptClient {
  /** Its address without credentials. */
  readonly name: string;
  readonly #redis: Connection;

  constructor(url: string, timeoutMs: number) {
    this.name = withoutCredentials(url);
    this.#redis = lockServerConnection(url, timeoutMs);
  }

  async evalsha(hash: string, _count: number, args: Args): Promise<unknown> {
    return await voteOf(this.#redis.evalsha(hash, 1, ...argumentsOf(args)));
  }

  async eval(script: string, _count: number, args: Args): Promise<unknown> {
    return await voteOf(this.#redis.eval(script, 1, ...argumentsOf(args)));
  }

  close(): void {
    this.#redis.disconnect();
  }
}

function argumentsOf([resource, ...rest]: Args): (string | number)[] {
  const [key = '', nodes = ''] = String(resource).split('\n');
  return [key, ...rest, nodes];
}

async function voteOf(answer: Promise<unknown>): Promise<unknown> {
  const vote = await answer.catch((error: unknown) => {
    // redlock sends the script itself then.
    if ((error as Error).message.startsWith('NOSCRIPT')) throw error;
    throw new Error(whyNoAnswer(error as Error));
  });
  if (vote === 0) throw new Error('has somebody else’s claim');
  if (vote === -1) throw new Error('was started or emptied less than a lease ago');
  return vote;
}

/** Counted things are the queue's own matter. */
function withMore(
  nodes: ReadonlyMap<string, string>,
  more: readonly ClaimNode[],
  isBeside: boolean,
): ReadonlyMap<string, string> {
  const own = more.filter(({ name, mode }) => mode !== 'slot' && (!isBeside || parseNode(name).kind === 'branch'));
  return new Map([...nodes, ...own.map(({ name, mode }) => [name, mode] as const)]);
}

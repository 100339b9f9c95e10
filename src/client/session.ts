/**
 * The claims of somebody who works by themselves and says bit by bit what they need: an interactive agent, a person.
 *
 * The first claim may wait its turn in line. While something is held, more is had at once or refused: who cannot be
 * restarted must not wait while they hold, or two of them could wait for each other. All is given back together.
 *
 * States: idle → (claim) → holding → (release) → idle. A lease that is lost brings it back to idle too, but what was
 * held is remembered: the next claim asks for all of it again, and says so, since others may have been there meanwhile.
 */

import { type ClaimNode, isExplicit } from '../claims/claim-set.ts';
import type { Timings } from '../config/timings.ts';
import { SignalboxError } from '../errors.ts';
import type { TaskQueue } from '../queue/task-queue.ts';
import { type HeldResource, heldResource } from './held.ts';
import { type GrowingContext, hold } from './hold.ts';
import type { HoldClaims } from './hold-claims.ts';
import { unionOf } from './hold-growth.ts';

/** What a session needs. */
export interface SessionParts {
  readonly queue: TaskQueue;
  readonly timings: Timings;
  /** Listed beside the process: who it is. */
  readonly label?: string | undefined;
  /** From what is declared to the nodes to hold. Throws INVALID. */
  readonly nodesOf: (claims: HoldClaims) => Promise<ClaimNode[]>;
}

/** How to claim. */
export interface ClaimOptions {
  /** How long the first claim may wait in line, in ms; 0: not at all. */
  readonly waitMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a session has after a claim. */
export interface SessionClaim {
  /** The id under which it is listed. */
  readonly holder: string;
  /** All that it holds now. */
  readonly held: readonly HeldResource[];
  /** The numbers of its slots, by resource. */
  readonly slots: Readonly<Record<string, number>>;
  /** The lease was lost since the last claim, and what was held before was claimed again: others may have changed it. */
  readonly wasLost: boolean;
}

interface Holding {
  readonly context: GrowingContext;
  readonly letGo: () => void;
  /** Settles when all is given back; never rejects. */
  readonly ended: Promise<void>;
}

/** Claims that are held until they are released or the session is closed. */
export class ClaimSession implements AsyncDisposable {
  readonly #parts: SessionParts;
  #nodes: readonly ClaimNode[] = [];
  #holding: Holding | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** What is held now. */
  get held(): readonly HeldResource[] {
    return this.#isHolding ? this.#nodes.filter(isExplicit).map(heldResource) : [];
  }

  /**
   * Claims more. Throws CONFLICT naming who has it and since when, INVALID, or REDIS_UNREACHABLE; what was held before
   * is still held then. One at a time: others queue up behind it.
   */
  async claim(claims: HoldClaims, options: ClaimOptions = {}): Promise<SessionClaim> {
    return await this.#inTurn(async () => {
      const more = await this.#parts.nodesOf(claims);
      return this.#isHolding ? await this.#grow(more) : await this.#begin(more, options);
    });
  }

  /** Gives all of it back; answers what that was. */
  async release(): Promise<readonly HeldResource[]> {
    return await this.#inTurn(async () => {
      const { held } = this;
      this.#holding?.letGo();
      await this.#holding?.ended;
      this.#holding = undefined;
      this.#nodes = [];
      return held;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  get #isHolding(): boolean {
    return this.#holding !== undefined && !this.#holding.context.signal.aborted;
  }

  async #grow(more: readonly ClaimNode[]): Promise<SessionClaim> {
    const { context } = this.#holding as Holding;
    const counted = more.find(({ mode, name }) => mode === 'slot' && !this.#nodes.some((node) => node.name === name));
    if (counted !== undefined) throw tooLate(counted.shown);
    await context.grow(more.filter(({ mode }) => mode !== 'slot'));
    this.#nodes = unionOf(this.#nodes, more);
    return this.#answer(context, false);
  }

  async #begin(more: readonly ClaimNode[], options: ClaimOptions): Promise<SessionClaim> {
    await this.#holding?.ended;
    const wasLost = this.#nodes.length > 0;
    const nodes = unionOf(this.#nodes, more);
    this.#holding = await open(this.#parts, nodes, options);
    this.#nodes = nodes;
    return this.#answer(this.#holding.context, wasLost);
  }

  #answer({ holder, slots }: GrowingContext, wasLost: boolean): SessionClaim {
    return { holder, held: this.held, slots, wasLost };
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => {});
    return await mine;
  }
}

/** A counted thing is waited for in line, which who holds must not. */
function tooLate(resource: string): SignalboxError {
  const message = `The resource ${JSON.stringify(resource)} cannot be added to what is held already.`;
  const next = 'Release what is held, then claim all of it together.';
  return new SignalboxError('INVALID', message, { field: 'resources', next });
}

/** Holds in the background; resolves once it is held. */
async function open(
  { queue, timings, label }: SessionParts,
  nodes: readonly ClaimNode[],
  { waitMs = 0, signal }: ClaimOptions,
): Promise<Holding> {
  return await new Promise<Holding>((resolve, reject) => {
    const options = { label, signal, ...(waitMs > 0 ? { waitTimeoutMs: waitMs } : { wait: false }) };
    const held = hold({ queue, timings }, { nodes, options }, async (context) => {
      await new Promise<void>((letGo) => {
        context.signal.addEventListener('abort', () => letGo(), { once: true });
        resolve({ context, letGo, ended });
      });
    });
    // After it was held, a loss is told by the signal.
    const ended = held.then(
      () => {},
      (error: unknown) => reject(error instanceof Error ? error : new Error(String(error))),
    );
  });
}

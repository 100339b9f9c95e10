/** Changes of state as they happen, from the channel that the scripts publish on. */

import { z } from 'zod';
import type { Connection } from '../redis/connect.ts';
import type { Keys } from '../redis/keys.ts';
import { readMessage } from '../redis/messages.ts';
import { subscribe } from '../redis/subscribe.ts';
import { STATES, TASK_CODES, type TaskCode, type TaskState } from '../task/states.ts';

/** A task has come into a state. */
export interface StateChange {
  readonly id: string;
  readonly state: TaskState;
  readonly code: TaskCode | null;
  readonly at: string;
}

const changeMessage = z.object({
  id: z.string(),
  state: z.enum(STATES),
  code: z.enum(TASK_CODES).nullable().default(null),
  at: z.int(),
});

/** Listens to the state changes of a queue. */
export class Changes {
  readonly #listeners = new Set<(change: StateChange | 'reconnected') => void>();
  #end: () => void = () => {};

  private constructor() {}

  /** Subscribes over a connection of its own. */
  static async open(redis: Connection, keys: Keys): Promise<Changes> {
    const changes = new Changes();
    changes.#end = await subscribe(redis, [keys.channel('events')], {
      onMessage: (_channel, message) => {
        const change = readMessage(changeMessage, message);
        if (change !== undefined) changes.#tell({ ...change, at: new Date(change.at).toISOString() });
      },
      onReconnected: () => changes.#tell('reconnected'),
      isPatient: true,
    });
    return changes;
  }

  /** Calls `listener` with every change; `reconnected` tells that some may have been missed. Answers how to end it. */
  listen(listener: (change: StateChange | 'reconnected') => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves at the next change that `matches`, or when `signal` is aborted. */
  async next(matches: (change: StateChange | 'reconnected') => boolean, signal: AbortSignal): Promise<void> {
    let stop = (): void => {};
    try {
      await new Promise<void>((resolve) => {
        stop = this.listen((change) => {
          if (matches(change)) resolve();
        });
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    } finally {
      stop();
    }
  }

  /** All changes from now on, buffered for a reader that is slower than they come. */
  stream(): AsyncGenerator<StateChange, void> {
    const buffer: StateChange[] = [];
    let more = (): void => {};
    const stop = this.listen((change) => {
      if (change !== 'reconnected') buffer.push(change);
      more();
    });
    async function* read(): AsyncGenerator<StateChange, void> {
      try {
        for (;;) {
          const change = buffer.shift();
          if (change !== undefined) yield change;
          else await new Promise<void>((resolve) => (more = resolve));
        }
      } finally {
        stop();
      }
    }
    return read();
  }

  close(): void {
    this.#end();
  }

  #tell(change: StateChange | 'reconnected'): void {
    for (const listener of this.#listeners) listener(change);
  }
}

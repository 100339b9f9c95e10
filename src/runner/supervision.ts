/** Keeps a worker's supervisor: started when first needed, replaced when it dies. */

import type { Events } from '../telemetry/events.ts';
import { type Supervisor, startSupervisor } from './supervisor/client.ts';

/** The holder of one worker's supervisor. */
export class Supervision {
  readonly #events: Events;
  readonly #workerId: string;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #answerMs: number;
  #current: Promise<Supervisor> | undefined;

  constructor(options: {
    readonly events: Events;
    readonly workerId: string;
    readonly env: Readonly<Record<string, string | undefined>>;
    /** See `Timings`. */
    readonly answerMs: number;
  }) {
    this.#events = options.events;
    this.#workerId = options.workerId;
    this.#env = options.env;
    this.#answerMs = options.answerMs;
  }

  /** The supervisor in service. */
  readonly supervisor = (): Promise<Supervisor> => {
    if (this.#current !== undefined) return this.#current;
    const started = startSupervisor({
      env: this.#env,
      answerMs: this.#answerMs,
      onExit: ({ expected, reason }) => {
        forget();
        if (!expected) this.#events.emit({ type: 'worker.supervisor_replaced', workerId: this.#workerId, reason });
      },
    });
    // One that could not be started is not kept either.
    const forget = (): void => {
      if (this.#current === started) this.#current = undefined;
    };
    started.catch(forget);
    this.#current = started;
    return started;
  };

  /** Stops it, if there is one; nothing that it started is left. */
  async stop(): Promise<void> {
    await (await this.#current?.catch(() => undefined))?.stop();
  }
}

/** All clients that listen to changes of state, behind one subscription. */

import type { StateChange } from '../../client/changes.ts';
import type { Signalbox } from '../../client/signalbox.ts';
import { HttpProblem } from '../problems.ts';
import { EventStream, eventText, STREAM_LIMITS, type StreamLimits } from './stream.ts';

type Exchange = ConstructorParameters<typeof EventStream>[0];

/** What a hub is bounded by. */
export interface HubLimits extends StreamLimits {
  /** How many may listen at once. */
  readonly streams: number;
}

const HUB_LIMITS: HubLimits = { ...STREAM_LIMITS, streams: 1_000 };

/** Sends every change of state to all who listen, and keeps count of streams that follow something else. */
export class EventHub {
  readonly #box: Signalbox;
  readonly #limits: HubLimits;
  readonly #listeners = new Set<EventStream>();
  readonly #streams = new Set<EventStream>();
  #watching: Promise<() => void> | undefined;

  constructor(box: Signalbox, limits: Partial<HubLimits> = {}) {
    this.#box = box;
    this.#limits = { ...HUB_LIMITS, ...limits };
  }

  /** Sends changes from now on. Throws TOO_MANY_LISTENERS, or what Redis says. */
  async listen(exchange: Exchange): Promise<void> {
    this.#refuseTooMany();
    await this.#watch();
    this.#listeners.add(this.open(exchange));
  }

  /** A stream for events of its own, closed with the hub; `onEnd` is called however it ends. Throws TOO_MANY_LISTENERS. */
  open(exchange: Exchange, onEnd: () => void = () => {}): EventStream {
    this.#refuseTooMany();
    const stream: EventStream = new EventStream(exchange, {
      limits: this.#limits,
      onEnd: () => {
        this.#streams.delete(stream);
        this.#listeners.delete(stream);
        onEnd();
      },
    });
    this.#streams.add(stream);
    return stream;
  }

  /** How many streams there are. */
  get size(): number {
    return this.#streams.size;
  }

  /** Ends all streams. */
  async close(): Promise<void> {
    for (const stream of this.#streams) stream.close();
    const stop = await this.#watching?.catch(() => undefined);
    stop?.();
  }

  async #watch(): Promise<void> {
    this.#watching ??= this.#box.watch((change) => this.#tell(change));
    try {
      await this.#watching;
    } catch (error) {
      // The next one tries again.
      this.#watching = undefined;
      throw error;
    }
  }

  #tell(change: StateChange | 'reconnected'): void {
    const text = change === 'reconnected' ? eventText('reconnected', {}) : eventText('state', change);
    for (const stream of this.#listeners) stream.sendText(text);
  }

  #refuseTooMany(): void {
    if (this.#streams.size < this.#limits.streams) return;
    throw new HttpProblem('TOO_MANY_LISTENERS', `${this.#streams.size} clients listen already.`, {
      next: 'Close some, or start another dashboard: each serves as many.',
    });
  }
}

/**
 * One client that is sent events as they come (`text/event-stream`). What it does not read is kept for it up to a bound;
 * then, or when it has read nothing for a while, its connection is closed: it comes back and loads anew.
 */

import type { FastifyReply, FastifyRequest } from 'fastify';

/** What the streams of a server are bounded by. */
export interface StreamLimits {
  /** How much may lie unread, in bytes. */
  readonly bufferBytes: number;
  /** How often a comment is sent to a client that gets nothing else, so that proxies do not close it. */
  readonly heartbeatMs: number;
}

/** The limits that are in force unless tests set others. */
export const STREAM_LIMITS: StreamLimits = { bufferBytes: 256 * 1024, heartbeatMs: 15_000 };

/** A client that reads events. */
export class EventStream {
  readonly #raw: FastifyReply['raw'];
  readonly #limits: StreamLimits;
  readonly #heartbeat: NodeJS.Timeout;
  readonly #onEnd: () => void;
  #unreadSince: number | undefined;
  #ended = false;

  /** Takes the reply over; `onEnd` is called once, however it ends. */
  constructor(
    { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
    { limits, onEnd }: { readonly limits: StreamLimits; readonly onEnd: () => void },
  ) {
    const headers = reply.getHeaders() as Record<string, string>;
    reply.hijack();
    this.#raw = reply.raw;
    this.#limits = limits;
    this.#onEnd = onEnd;
    this.#raw.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // For proxies that would wait for the whole answer.
      'x-accel-buffering': 'no',
    });
    request.raw.socket.setTimeout(0);
    this.#raw.on('error', () => this.close());
    this.#raw.on('close', () => this.#end());
    this.#heartbeat = setInterval(() => this.#write(':\n\n'), limits.heartbeatMs);
    this.#write('retry: 2000\n\n');
  }

  /** Sends an event. */
  send(event: string, data: unknown): void {
    this.sendText(eventText(event, data));
  }

  /** Sends what `eventText` has made: the same for many. */
  sendText(text: string): void {
    this.#write(text);
  }

  /** Whether it has ended. */
  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Resolves when it takes more without keeping it, or has ended: for those who can wait. */
  async drained(): Promise<void> {
    if (this.#ended || !this.#raw.writableNeedDrain) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#raw.off('drain', done).off('close', done);
        resolve();
      };
      this.#raw.on('drain', done).on('close', done);
    });
  }

  /** Ends it after what was sent. */
  finish(): void {
    if (!this.#ended) this.#raw.end();
  }

  /** Ends it at once. */
  close(): void {
    this.#raw.destroy();
    this.#end();
  }

  #write(text: string): void {
    if (this.#ended) return;
    const isRead = this.#raw.write(text);
    const now = performance.now();
    this.#unreadSince = isRead ? undefined : (this.#unreadSince ?? now);
    const isStuck = this.#unreadSince !== undefined && now - this.#unreadSince > 4 * this.#limits.heartbeatMs;
    if (isStuck || this.#raw.writableLength > this.#limits.bufferBytes) this.close();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#heartbeat);
    this.#onEnd();
  }
}

/** An event as it is sent. */
export function eventText(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** A TCP proxy that does to connections what networks do: slows them down, swallows them, cuts them, loses answers. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * What becomes of a connection. `hole`: nothing comes through, nothing is refused; what was sent meanwhile arrives when
 * the hole closes, late, as it does when TCP sends it again. `mute`: requests arrive and answers are lost; when that is
 * over the connection is cut, since a stream with a gap is none. `refuse`: it is cut, and cut again.
 */
export type Treatment =
  | { readonly kind: 'pass' }
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'hole' }
  | { readonly kind: 'mute' }
  | { readonly kind: 'refuse' };

/** Between clients and one server on this machine. */
export class Proxy {
  readonly #server: Server;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #lines = new Set<Line>();
  #treatment: Treatment = { kind: 'pass' };

  private constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target;
    this.#server = createServer((client) => this.#open(client));
  }

  /** Opens a proxy before the server of an address like `redis://host:port`. */
  static async before(url: string): Promise<Proxy> {
    const { hostname, port } = new URL(url);
    const proxy = new Proxy({ host: hostname, port: Number(port) });
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** The port that it listens on. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** An address of the server that leads through here. */
  through(url: string): string {
    const way = new URL(url);
    way.hostname = '127.0.0.1';
    way.port = String(this.port);
    return way.href.replace(/\/$/, '');
  }

  /** How many connections there are, in the order they came. */
  get connections(): number {
    return this.#lines.size;
  }

  /** From now on all connections are treated so, those to come too; or only some of those that are there, by their place. */
  treat(treatment: Treatment, which?: (index: number) => boolean): void {
    if (which === undefined) this.#treatment = treatment;
    for (const [index, line] of [...this.#lines].entries()) if (which?.(index) ?? true) line.treat(treatment);
  }

  /** Cuts all connections at once (RST); new ones may be made. */
  reset(): void {
    for (const line of this.#lines) line.cut();
  }

  /** Cuts everything and listens no more. */
  async close(): Promise<void> {
    this.reset();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #open(client: Socket): void {
    const line = new Line(client, this.#target);
    this.#lines.add(line);
    client.once('close', () => this.#lines.delete(line));
    line.treat(this.#treatment);
  }
}

/** One connection: the client's socket and the one to the server. */
class Line {
  readonly #client: Socket;
  readonly #server: Socket;
  #treatment: Treatment = { kind: 'pass' };
  #lost = false;

  constructor(client: Socket, target: { readonly host: string; readonly port: number }) {
    this.#client = client;
    this.#server = connect(target);
    this.#pipe(client, this.#server);
    this.#pipe(this.#server, client);
  }

  treat(treatment: Treatment): void {
    const wasMute = this.#treatment.kind === 'mute';
    this.#treatment = treatment;
    if (treatment.kind === 'refuse' || (wasMute && this.#lost)) return this.cut();
    for (const socket of [this.#client, this.#server]) {
      if (treatment.kind === 'hole') socket.pause();
      else socket.resume();
    }
  }

  cut(): void {
    this.#client.resetAndDestroy();
    this.#server.destroy();
  }

  #pipe(from: Socket, to: Socket): void {
    // What is under way is not overtaken by what comes when the delay is over.
    let last: Promise<unknown> = Promise.resolve();
    from.on('data', (data) => {
      const { kind } = this.#treatment;
      if (kind === 'mute' && from === this.#server) {
        this.#lost = true;
        return;
      }
      const due = performance.now() + (this.#treatment.kind === 'delay' ? this.#treatment.ms : 0);
      last = last.then(async () => {
        const waitMs = due - performance.now();
        if (waitMs > 0) await delay(waitMs);
        if (to.writable) to.write(data);
      });
    });
    from.on('error', () => this.cut());
    from.on('close', () => to.destroy());
  }
}

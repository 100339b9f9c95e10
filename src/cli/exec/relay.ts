/** The signals of `exec`: while it waits they end the waiting, while its command runs they are the command's. */

import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/** Takes all signals from now until it is closed. */
export class Relay implements Disposable {
  readonly #waiting = new AbortController();
  #forward: ((signal: NodeJS.Signals) => void) | undefined;
  #endedBy: NodeJS.Signals | undefined;

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#heard);
  }

  /** Aborted by the first signal that comes while there is no command. */
  get interrupted(): AbortSignal {
    return this.#waiting.signal;
  }

  /** The exit code that tells of the signal that ended the waiting. */
  get exitCode(): number {
    return 128 + (this.#endedBy === undefined ? 0 : constants.signals[this.#endedBy]);
  }

  /** Says where signals go from now on. */
  readonly to = (forward: ((signal: NodeJS.Signals) => void) | undefined): void => {
    this.#forward = forward;
  };

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) process.removeListener(signal, this.#heard);
  }

  readonly #heard = (signal: NodeJS.Signals): void => {
    if (this.#forward !== undefined) return this.#forward(signal);
    // Somebody who asks twice does not want to wait until Redis has answered.
    if (this.#endedBy !== undefined) process.exit(this.exitCode);
    this.#endedBy = signal;
    this.#waiting.abort(new Error(`Ended by ${signal}.`));
  };
}

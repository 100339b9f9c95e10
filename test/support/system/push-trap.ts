/** What can befall a push at the remote: it is held there, or the remote dies, before or after the refs have moved. */

import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Remote } from './remote.ts';

/** git's hooks in the remote: before anything has moved, and when all has. */
export type TrapPlace = 'pre-receive' | 'post-receive';

/** `hold`: the push waits until it is released. `hang_up`: the remote's process dies, so that no answer comes. */
export type TrapDeed = 'hold' | 'hang_up';

/** Traps in one remote for pushes that move a branch; those that only extend a ledger pass. Each is sprung once. */
export class PushTrap {
  readonly #dir: string;
  #set = 0;

  /** Puts the hooks into the remote. They end with the test's folder, should nobody release them. */
  constructor(remote: Remote) {
    this.#dir = `${remote.dir}.trap`;
    mkdirSync(this.#dir);
    for (const place of ['pre-receive', 'post-receive']) {
      const hook = join(remote.dir, 'hooks', place);
      writeFileSync(hook, scriptOf(this.#dir, place));
      chmodSync(hook, 0o755);
    }
  }

  /** The next `times` pushes of branches that come to this place meet this. */
  arm(place: TrapPlace, deed: TrapDeed, times = 1): void {
    for (let i = 0; i < times; i += 1) {
      this.#set += 1;
      writeFileSync(join(this.#dir, `${place}.${deed}.${this.#set}`), '');
    }
  }

  /** How many have been sprung so far. */
  get sprung(): number {
    return this.#files('sprung').length;
  }

  /** Whether a push is held now. */
  get holds(): boolean {
    return this.held.length > 0;
  }

  /** The process ids of the remote's part of each push that is held. */
  get held(): number[] {
    return this.#files('held').map((file) => Number(file.split('.')[1]));
  }

  /** Lets go on all that are held. */
  release(): void {
    for (const file of this.#files('held')) rmSync(join(this.#dir, file));
  }

  /** Takes away what was armed and not sprung, and lets go on the rest. */
  disarm(): void {
    for (const file of this.#files('receive')) rmSync(join(this.#dir, file), { force: true });
    this.release();
  }

  #files(word: string): string[] {
    return readdirSync(this.#dir).filter((name) =>
      word === 'receive' ? /^p\w+-receive\./.test(name) : name.startsWith(`${word}.`),
    );
  }
}

/** Moving a file succeeds for one push only. */
function scriptOf(dir: string, place: string): string {
  return `#!/bin/sh
case "$(cat)" in *refs/heads/*) ;; *) exit 0 ;; esac
for trap in '${dir}'/${place}.*; do
  mine="$PPID.\${trap##*.}"
  case "$trap" in *.hold.*) : > "${dir}/held.$mine" ;; esac
  mv "$trap" "${dir}/sprung.$mine" 2>/dev/null || { rm -f "${dir}/held.$mine"; continue; }
  case "$trap" in *.hang_up.*) kill -9 $PPID; exit 1 ;; esac
  while [ -e "${dir}/held.$mine" ]; do sleep 0.05; done
done
exit 0
`;
}

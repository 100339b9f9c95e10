/**
 * The way from a worker to git remotes by `ssh://`, without a network: a program in ssh's place that runs git's own
 * server part on this machine, and that can be slow, hang, refuse, or lose the answer, for each worker apart.
 */

import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Remote } from './remote.ts';

/** What becomes of a connection that is made from now on. `hang` also holds those that were made before it, until then. */
export type SshTreatment = 'pass' | 'hang' | 'refuse' | 'slow';

/** One worker's line to its remotes. */
export class SshLine {
  readonly #program: string;
  readonly #state: string;
  readonly #log: string;

  /** Makes the program, at a path that does not exist yet. */
  constructor(program: string) {
    this.#program = program;
    this.#state = `${program}.state`;
    this.#log = `${program}.log`;
    this.treat('pass');
    writeFileSync(program, scriptOf(this.#state, this.#log));
    chmodSync(program, 0o755);
  }

  /** How a remote is called over this line, and all others like it. */
  static address(remote: Remote): string {
    return `ssh://git@remote.example${remote.dir}`;
  }

  /** For the environment of whoever is to use it. */
  get env(): Readonly<Record<string, string>> {
    return { GIT_SSH_COMMAND: this.#program };
  }

  /** See `SshTreatment`. */
  treat(treatment: SshTreatment): void {
    writeFileSync(this.#state, treatment);
  }

  /** Which treatment met which of git's services, oldest first, as `hang git-receive-pack`. */
  get met(): string[] {
    return existsSync(this.#log) ? readFileSync(this.#log, 'utf8').trimEnd().split('\n') : [];
  }

  /** Takes the program away: whoever still hangs in it ends. */
  close(): void {
    rmSync(this.#state, { force: true });
  }
}

/** The last argument is what ssh would run over there. A missing state ends it, so that none outlives its test. */
function scriptOf(state: string, log: string): string {
  return `#!/bin/sh
for command; do :; done
met=
while :; do
  [ -e '${state}' ] || exit 255
  how=$(cat '${state}')
  [ "$met" = "$how" ] || echo "$how \${command%% *}" >> '${log}'
  met=$how
  case "$how" in
    refuse) echo 'ssh: connect to host remote.example port 22: Connection refused' >&2; exit 255 ;;
    hang) sleep 0.05 ;;
    slow) sleep 1; break ;;
    *) break ;;
  esac
done
unset GIT_DIR GIT_CONFIG_COUNT
eval "exec $command"
`;
}

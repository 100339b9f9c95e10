/** A private PostgreSQL for the baseline that needs one: in a folder of its own, reached by a socket in it. */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, chownSync, constants, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A running server. */
export interface Postgres extends AsyncDisposable {
  readonly url: string;
}

const USER = 'bench';
/** Debian keeps the server's programs out of the PATH. */
const DEBIAN = '/usr/lib/postgresql';
/** Starts the server and ends it when its own stdin ends, that is when this process is gone, however that came. */
const LEASH = '"$@" & pid=$!; read -r _; kill -INT $pid; wait $pid';
const START_TRIES = 100;

/** The folder of `postgres` and `initdb`; undefined if they are not installed. */
function postgresPrograms(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    ...versions.map((version) => join(DEBIAN, version, 'bin')),
  ];
  return folders.find((folder) => ['postgres', 'initdb'].every((name) => isProgram(join(folder, name))));
}

/** Such as `15.14`; undefined if it is not installed. */
export function postgresVersion(): string | undefined {
  const folder = postgresPrograms();
  if (folder === undefined) return undefined;
  return /\d[\d.]*/.exec(execFileSync(join(folder, 'postgres'), ['--version'], { encoding: 'utf8' }))?.[0];
}

/** Starts a server; undefined if none is installed. It refuses to run as root, so as root it runs as `nobody`. */
export async function startPostgres(): Promise<Postgres | undefined> {
  const programs = postgresPrograms();
  if (programs === undefined) return undefined;
  const dir = mkdtempSync(join(tmpdir(), 'signalbox-postgres-'));
  const user = process.getuid?.() === 0 ? nobody() : {};
  if (user.uid !== undefined) chownSync(dir, user.uid, user.gid ?? user.uid);
  const data = join(dir, 'data');
  const options = { cwd: dir, ...user } as const;
  execFileSync(join(programs, 'initdb'), ['-D', data, '-U', USER, '-A', 'trust', '--no-sync'], {
    ...options,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const settings = ['listen_addresses=', 'synchronous_commit=off', 'max_connections=100'].flatMap((one) => ['-c', one]);
  const server = spawn('sh', ['-c', LEASH, 'sh', join(programs, 'postgres'), '-D', data, '-k', dir, ...settings], {
    ...options,
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  const exited = once(server, 'exit');
  const close = async (): Promise<void> => {
    server.stdin?.end();
    await exited;
    rmSync(dir, { recursive: true, force: true });
  };
  // It makes its socket once it takes connections.
  for (let tries = 0; !existsSync(join(dir, '.s.PGSQL.5432')); tries += 1) {
    if (tries === START_TRIES || server.exitCode !== null) {
      await close();
      throw new Error('the private PostgreSQL did not start');
    }
    await delay(50);
  }
  return { url: `postgres://${USER}@/postgres?host=${encodeURIComponent(dir)}`, [Symbol.asyncDispose]: close };
}

function nobody(): { readonly uid?: number; readonly gid?: number } {
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

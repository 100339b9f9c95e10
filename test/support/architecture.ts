/** The rules about who may import and touch what, as pure functions of a file's path and text. */

import { dirname, join } from 'node:path/posix';

/** One broken rule. */
export interface Violation {
  readonly file: string;
  readonly problem: string;
}

/**
 * Which rooms each room may import, beside itself. Arrows go one way: `cli, workers, server → client → runner → queue,
 * git, waiting → claims → task`. `root` is the files directly under `src` that everything may use (errors and the like);
 * `events` is `telemetry/events`, which everything but `task` may use; `index` is the public API.
 */
const BASE = ['root', 'config', 'redis', 'events'];
const CLAIMS = [...BASE, 'task', 'claims'];
const QUEUE = [...CLAIMS, 'waiting', 'queue'];
const RUNNER = [...QUEUE, 'git', 'runner', 'telemetry'];
const CLIENT = [...RUNNER, 'client'];
const SERVER = [...CLIENT, 'server'];
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  root: ['root'],
  task: ['root', 'task'],
  config: ['root', 'config', 'task'],
  events: ['root', 'events', 'task'],
  redis: [...BASE],
  telemetry: [...BASE, 'task', 'telemetry'],
  claims: CLAIMS,
  waiting: [...CLAIMS, 'waiting'],
  git: [...CLAIMS, 'git'],
  queue: QUEUE,
  runner: RUNNER,
  client: CLIENT,
  // What it may name, but only as types: nothing of the rest may be bundled into the page.
  page: [...SERVER, 'page'],
  server: SERVER,
  index: SERVER,
  cli: [...SERVER, 'cli'],
  workers: [...SERVER, 'workers'],
};

/** What only some files may do. `allowed` are path prefixes; each beyond the owner's own needs a reason here. */
const OWNED = [
  {
    what: 'reads process.env',
    sign: /\bprocess\.env\b|\bprocess\[['"]env['"]\]|import\s*\{[^}]*\benv\b[^}]*\}\s*from\s*['"](?:node:)?process['"]/,
    // The programs' entries hand it on as data; the supervisor is a process of its own and looks up commands by PATH.
    allowed: ['src/config/', 'src/cli/main.ts', 'workers/', 'src/runner/supervisor/program.ts'],
  },
  {
    what: 'spawns git',
    sign: /(?:\b(?:spawn|exec|execFile|execa|run)(?:Sync)?|\$)\s*(?:\(\s*['"`]|`)git\b/,
    allowed: ['src/git/'],
  },
  { what: 'imports bullmq', sign: importOf('bullmq(?:-otel)?'), allowed: ['src/queue/'] },
  { what: 'imports redlock', sign: importOf('redlock'), allowed: ['src/claims/'] },
  { what: 'has Lua in a string', sign: /\bredis\.p?call\s*\(/, allowed: [] },
] as const;

/**
 * Every rule that one TypeScript file breaks.
 *
 * @param file its path from the project's root, with `/`
 */
export function violationsOf(file: string, source: string): Violation[] {
  const code = withoutComments(source);
  return [...importProblems(file, code), ...ownershipProblems(file, code)].map((problem) => ({ file, problem }));
}

/** The specifiers of all static, re-exporting, bare and dynamic imports. */
export function importsOf(source: string): string[] {
  const forms = /\bfrom\s*['"]([^'"]+)['"]|\bimport\s*\(?\s*['"]([^'"]+)['"]/g;
  return [...withoutComments(source).matchAll(forms)].map((match) => match[1] ?? match[2] ?? '');
}

const TYPE_IMPORT = /\b(?:import|export)\s+type\b[^;]*?\bfrom\s*['"][^'"]+['"]/g;

function importProblems(file: string, code: string): string[] {
  const room = roomOf(file);
  const allowed = MAY_IMPORT[room];
  if (allowed === undefined) return [`is in a room, ${room}, that test/support/architecture.ts does not know`];
  const values = new Set(importsOf(code.replace(TYPE_IMPORT, '')));
  return importsOf(code).flatMap((specifier) => {
    if (!specifier.startsWith('.')) return [];
    const target = join(dirname(file), specifier);
    if (!/^(?:src|workers)\//.test(target)) return target === 'package.json' ? [] : [`imports ${target}, not a source`];
    if (!allowed.includes(roomOf(target))) return [`imports ${target}: ${room} may not use ${roomOf(target)}`];
    if (room !== 'page' || roomOf(target) === 'page' || !values.has(specifier)) return [];
    return [`imports ${target}: the page may use only types of ${roomOf(target)}`];
  });
}

function ownershipProblems(file: string, code: string): string[] {
  return OWNED.filter(({ sign, allowed }) => sign.test(code) && !allowed.some((prefix) => file.startsWith(prefix))).map(
    ({ what, allowed }) => `${what}; only ${allowed.join(' and ') || 'a .lua file'} may`,
  );
}

function roomOf(file: string): string {
  const [top, room, ...rest] = file.split('/');
  if (top !== 'src') return top ?? '';
  if (rest.length === 0) return room === 'index.ts' ? 'index' : 'root';
  if (room === 'server' && rest[0] === 'page') return 'page';
  if (room === 'telemetry' && /^events(?:\.ts|\/)/.test(rest.join('/'))) return 'events';
  return room ?? '';
}

function importOf(name: string): RegExp {
  return new RegExp(`(?:\\bfrom|\\bimport\\s*\\(?)\\s*['"]${name}(?:/[^'"]*)?['"]`);
}

/** Comments may name what code must not use. A `//` after a colon is the middle of a URL. */
function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`])\/\/.*$/gm, '$1');
}

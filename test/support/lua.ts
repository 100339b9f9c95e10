/** Reads constants out of Lua fragments, so that tests can hold them to the TypeScript that says the same. */

import { readFileSync } from 'node:fs';

const NODES = readFileSync(new URL('../../src/claims/nodes.lua', import.meta.url), 'utf8');

/** The table `EXCLUDES` of `nodes.lua`: per mode those that exclude it. */
export function luaExcludes(): Record<string, string[]> {
  const body = /^local EXCLUDES = \{$([\s\S]*?)^\}$/m.exec(NODES)?.[1] ?? '';
  const rows = [...body.matchAll(/^ {2}(\w+) = \{ (.*) \},$/gm)];
  return Object.fromEntries(
    rows.map(([, mode = '', list = '']) => [mode, [...list.matchAll(/'(\w+)'/g)].map(([, name = '']) => name)]),
  );
}

/** Reads tables out of the Lua sources, so that tests can hold them against their TypeScript counterparts. */

import { readFileSync } from 'node:fs';

const COUNTS = readFileSync(new URL('../../src/claims/counts.lua', import.meta.url), 'utf8');

/** The table `EXCLUDES` of `counts.lua`, with modes for their places: per mode those that exclude it. A slot is no mode. */
export function luaExcludes(): Record<string, string[]> {
  const places = new Map([...rows('PLACE', /(\w+) = (\d+)/g)].map(([, mode = '', place = '']) => [place, mode]));
  const excludes = [...rows('EXCLUDES', /(\w+) = \{([^}]*)\}/g)].map(([, mode = '', list = '']) => {
    return [
      mode,
      [...list.matchAll(/\d+/g)].map(([place]) => places.get(place) ?? `no mode has place ${place}`),
    ] as const;
  });
  return Object.fromEntries(excludes.filter(([mode]) => mode !== 'slot'));
}

function rows(table: string, row: RegExp): Iterable<RegExpMatchArray> {
  const body = new RegExp(`^local ${table} = \\{(.*)\\}$`, 'm').exec(COUNTS)?.[1] ?? '';
  return body.matchAll(row);
}

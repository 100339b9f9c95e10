/** Lists of nodes in Lua, held to the TypeScript that writes and reads the same text. */

import { Redis } from 'ioredis';
import { afterAll, expect, test } from 'vitest';
import { claimSet } from '../../../src/claims/claim-set.ts';
import { readNodes, writeNodes } from '../../../src/claims/node-list.ts';
import { readScript } from '../../../src/redis/scripts.ts';
import { testRedisUrl } from '../../support/redis.ts';

const FRAGMENT = readScript(new URL('../../../src/claims/node-list.lua', import.meta.url));
const redis = new Redis(testRedisUrl());
afterAll(() => redis.disconnect());

const CLAIM = { repoKey: 'git.example.com/acme/app', branch: 'task/#1', write: ['src/API', 'b'], read: ['src/db'] };

test.each([
  ['of one repository, with counted things', claimSet({ ...CLAIM, resources: ['gpu'], owner: 'me' })],
  ['of several repositories', [...claimSet(CLAIM), ...claimSet({ ...CLAIM, repoKey: '/srv/a#b' })]],
  ['of counted things alone', claimSet({ repoKey: 'r', write: [], read: [], resources: ['gpu'] })],
  ['of nothing', []],
])('a list %s is the same in Lua', async (_what, nodes) => {
  const text = writeNodes(nodes);
  const lua = async (code: string): Promise<unknown> => await redis.eval(`${FRAGMENT}\nreturn ${code}`, 0, text);
  expect(readNodes(String(await lua('write_nodes(read_nodes(ARGV[1]))')))).toEqual(nodes);
  for (const [i, { name, mode, shown }] of nodes.entries()) {
    expect(await lua(`{ read_nodes(ARGV[1])[${i + 1}][1], read_nodes(ARGV[1])[${i + 1}][2] }`)).toEqual([name, mode]);
    const value = String(await lua(`shown_node(read_nodes(ARGV[1])[${i + 1}])`));
    expect(value.slice(value.indexOf(':') + 1)).toBe(shown === '' ? '.' : shown);
  }
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { claimSet } from '../../../src/claims/claim-set.ts';
import { isNodeList, readNodes, writeNodes } from '../../../src/claims/node-list.ts';

const path = fc
  .array(fc.stringMatching(/^[A-Za-z0-9Ää_-]{1,6}$/), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('/'));
const spec = fc.record({
  repoKey: fc.constantFrom('git.example.com/acme/app', 'a#b%c', '/srv/git'),
  branch: fc.constantFrom('main', 'task/#1', 'x:y'),
  write: fc.array(path, { maxLength: 5 }),
  read: fc.array(path, { maxLength: 5 }),
  resources: fc.constantFrom([], ['gpu', 'port:1']),
  owner: fc.constantFrom('me', '#me'),
});

describe('a stored list of nodes', () => {
  test('is read as it was written, whatever is claimed', () => {
    fc.assert(
      fc.property(spec, spec, (claim, other) => {
        const nodes = [...claimSet(claim), ...claimSet(other)];
        const text = writeNodes(nodes);
        expect(readNodes(text)).toEqual(nodes);
        expect(isNodeList(text)).toBe(true);
      }),
    );
  });

  test('names the repository once, and a name twice only where it is shown in another way', () => {
    expect(writeNodes(claimSet({ repoKey: 'r', branch: 'main', write: ['src/API'], read: [], owner: 'me' }))).toBe(
      '["r","X","branch:main","IX","path:","IX","path:src","X",["path:src/api","src/API"],"slot","#owner:me"]',
    );
    const [elsewhere] = claimSet({ repoKey: 's', write: [], read: ['a'] });
    if (elsewhere === undefined) throw new Error('no node');
    expect(writeNodes([...claimSet({ repoKey: 'r', write: [], read: ['b'] }), elsewhere])).toBe(
      '["r","IS","path:","S","path:b","IS",["path:","","s"]]',
    );
    expect(writeNodes(claimSet({ repoKey: 'r', write: [], read: [], resources: ['gpu'] }))).toBe(
      '["","slot","#resource:gpu"]',
    );
  });

  test('is not made of anything else', () => {
    for (const text of ['', '{}', '[]', '[1]', '["r","X"]', '["r","X",["a"]]', '[["r"],"X","a"]', 'null'])
      expect(isNodeList(text)).toBe(false);
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRepository, repositoryProblem } from '../../../src/task/repository.ts';
import { refusal } from './support.ts';

const SPELLINGS = [
  'git@git.example.com:acme/app.git',
  'git@git.example.com:/acme/app.git',
  'git.example.com:acme/app',
  'ssh://git@git.example.com/acme/app.git',
  'ssh://git@git.example.com:22/acme/app',
  'ssh://git@git.example.com:2222/acme/app.git',
  'https://git.example.com/acme/app',
  'https://git.example.com/acme/app.git',
  'https://git.example.com/acme/app.git/',
  'https://git.example.com:443/acme//app/',
  'https://jane@GIT.example.com/Acme/App.git',
  'HTTPS://git.example.com./acme/app',
  'https://git.example.com/acme/%61pp',
];

describe('one remote has one key', () => {
  test.each(SPELLINGS)('%s', (repo) => {
    expect(parseRepository(repo)).toEqual({ kind: 'remote', key: 'git.example.com/acme/app', url: repo });
  });

  test('also by the host that a forge offers for ssh through 443', () => {
    expect(parseRepository('ssh://git@ssh.github.com:443/a/b.git')).toMatchObject({ key: 'github.com/a/b' });
  });
});

test.each([
  ['https://git.example.com:8443/a/b', 'git.example.com:8443/a/b'],
  ['https://git.example.com/a/b.git.git', 'git.example.com/a/b.git'],
  ['git@git.example.com:~jane/b', 'git.example.com/~jane/b'],
  ['http://localhost:3000/a/b', 'localhost:3000/a/b'],
  ['http://127.0.0.1/a', '127.0.0.1/a'],
  ['git@[::1]:a/b', '[::1]/a/b'],
  ['ssh://[2001:db8::1]:22/a/b', '[2001:db8::1]/a/b'],
])('%s has the key %s', (repo, key) => {
  expect(parseRepository(repo)).toMatchObject({ kind: 'remote', key });
});

test.each([
  ['/srv/git/app.git', '/srv/git/app.git'],
  ['.', '.'],
  ['../app', '../app'],
  ['./a:b', './a:b'],
  ['/srv/a:b', '/srv/a:b'],
  ['file:///srv/git/my%20app.git', '/srv/git/my app.git'],
  ['file://localhost/srv/app', '/srv/app'],
])('%s is the path %s', (repo, path) => {
  expect(parseRepository(repo)).toEqual({ kind: 'path', path });
});

test.each([
  '',
  ' ',
  '-x',
  '--upload-pack=id',
  'ext::sh -c id',
  'fd::3',
  'ssh::x',
  'git://h/a',
  'ftp://h/a',
  'git+ssh://h/a',
  'http://git.example.com/a',
  'http://localhost.evil.com/a',
  'https://me:pw@h/a',
  'https://:pw@h/a',
  'ssh://me:pw@h/a',
  'me:pw@h:a',
  'https://a@b@h/c',
  'https://ghp_0123456789@github.com/a/b',
  `https://${'t'.repeat(40)}@h/a`,
  'https://h/a\r\nb',
  'a\nb',
  'a\0',
  'https://h/a%0a',
  'https://h/%zz',
  'https://h/a?b',
  'https://h/a#b',
  'https://h',
  'https://h/',
  'https:///a',
  'https://-h/a',
  'ssh://-oProxyCommand=id/a',
  '-oProxyCommand=id:a',
  'git@-oProxyCommand=id:a',
  'h:-a',
  'h:',
  'h:/',
  'h:a\\b',
  'a\\b',
  'https://h/a/../b',
  'h:../a',
  '~/app',
  'file://host/a',
  'file://a',
  'https://h:x/a',
  'https://h o/a',
  'x'.repeat(3000),
])('%j is refused', (repo) => {
  expect(refusal(() => parseRepository(repo))).toMatchObject({ code: 'INVALID', field: 'repo' });
  expect(repositoryProblem(repo)).toMatch(/^must /);
});

test('whatever the input, it is read or refused, and a remote names a plain host', () => {
  const piece = fc.constantFrom(
    'https://',
    'ssh://',
    'git@',
    'h.example',
    ':',
    '/',
    '@',
    'a',
    '..',
    '%41',
    '-',
    '[',
    ']',
    '::',
    '~',
    '22',
  );
  const repo = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 8 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(repo, (text) => {
      if (repositoryProblem(text) !== undefined) return;
      const read = parseRepository(text);
      if (read.kind === 'remote') expect(read.key).toMatch(/^(\[[0-9a-f:.]+\]|[a-z0-9][a-z0-9._-]*)(:\d+)?\/./);
    }),
    { numRuns: 3000 },
  );
});

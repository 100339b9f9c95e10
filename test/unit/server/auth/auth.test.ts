import { describe, expect, test } from 'vitest';
import { Access, SESSION_MS } from '../../../../src/server/auth/access.ts';
import { FailedAttempts } from '../../../../src/server/auth/attempts.ts';
import { ownPath } from '../../../../src/server/auth/login-page.ts';
import { isLocalHost, originOf } from '../../../../src/server/auth/origin.ts';

describe('a session', () => {
  const access = new Access({ token: 'the-token', readToken: 'another-token' });

  test('gives its role until it ends', () => {
    const session = access.newSession('read', 1_000);
    expect(access.roleOfSession(session, 1_000 + SESSION_MS - 1)).toBe('read');
    expect(access.roleOfSession(session, 1_000 + SESSION_MS)).toBeUndefined();
  });

  test('ends with its token, and is not one under another', () => {
    const session = access.newSession('write');
    expect(new Access({ token: 'a-new-token', readToken: 'another-token' }).roleOfSession(session)).toBeUndefined();
    expect(new Access({ token: undefined, readToken: 'another-token' }).roleOfSession(session)).toBeUndefined();
    expect(access.roleOfSession(session.replace('write', 'read'))).toBeUndefined();
    for (const forged of ['', 'write', 'write.9999999999999.', `write.9999999999999.${'A'.repeat(43)}`])
      expect(access.roleOfSession(forged), forged).toBeUndefined();
  });

  test('is asked for as soon as there is one token', () => {
    expect(new Access({ token: undefined, readToken: undefined }).tokenRequired).toBe(false);
    const reader = new Access({ token: undefined, readToken: 'another-token' });
    expect(reader.tokenRequired).toBe(true);
    expect(reader.roleOf('another-token')).toBe('read');
    expect(reader.roleOf('')).toBeUndefined();
  });
});

describe('where a request comes from', () => {
  const host = 'localhost:4480';
  test.each([
    [{ origin: 'http://localhost:4480', fetchSite: undefined }, 'same'],
    [{ origin: 'https://LOCALHOST:4480', fetchSite: 'same-origin' }, 'same'],
    [{ origin: undefined, fetchSite: 'same-origin' }, 'same'],
    [{ origin: undefined, fetchSite: undefined }, 'none'],
    [{ origin: 'http://localhost:4481', fetchSite: undefined }, 'other'],
    [{ origin: 'http://localhost:4480.evil.example', fetchSite: undefined }, 'other'],
    [{ origin: 'null', fetchSite: undefined }, 'other'],
    [{ origin: 'http://localhost:4480', fetchSite: 'cross-site' }, 'other'],
    [{ origin: 'https://proxy.example', fetchSite: 'same-origin' }, 'same'],
    [{ origin: 'https://proxy.example', fetchSite: 'same-site' }, 'other'],
    [{ origin: 'https://proxy.example', fetchSite: undefined }, 'other'],
    [{ origin: undefined, fetchSite: 'same-site' }, 'other'],
    [{ origin: undefined, fetchSite: 'none' }, 'other'],
  ] as const)('%j is %s', (headers, from) => {
    expect(originOf({ host, ...headers })).toBe(from);
  });

  test.each(['localhost', 'localhost:1', '127.0.0.1:4480', '127.1.2.3', '[::1]:4480', 'a.localhost:4480'])(
    '%s is this machine',
    (name) => expect(isLocalHost(name)).toBe(true),
  );
  test.each([undefined, '', 'evil.example', '127.0.0.1.evil.example', 'localhost.evil.example:4480', '10.0.0.1'])(
    '%s is not',
    (name) => expect(isLocalHost(name)).toBe(false),
  );
});

test.each(['//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:x', '', '/a b', '/a\nb'])(
  'after signing in, nobody is sent to %j',
  (path) => expect(ownPath(path)).toBe('/'),
);

test('wrong tokens are few at once, then one every few seconds, for each address by itself', () => {
  let now = 0;
  const attempts = new FailedAttempts(() => now);
  for (let i = 0; i < 10; i += 1) {
    expect(attempts.waitMs('a')).toBe(0);
    attempts.failed('a');
  }
  expect(attempts.waitMs('a')).toBe(3_000);
  expect(attempts.waitMs('b')).toBe(0);
  now += 2_999;
  expect(attempts.waitMs('a')).toBeGreaterThan(0);
  now += 1;
  expect(attempts.waitMs('a')).toBe(0);
});

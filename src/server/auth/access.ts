/**
 * Who may do what. There are two tokens, one to steer and one only to look; without any, whoever reaches the port may do
 * everything. A browser that has shown a token once keeps a session instead: role and expiry, sealed with a key that is
 * made from the token, so that it says nothing about the token and ends when that is changed.
 */

import { createHmac, hash, timingSafeEqual } from 'node:crypto';

/** What a request may do: look, or steer as well. */
export type Role = 'read' | 'write';

/** How a request has shown who it is. `open`: there is no token to show. */
export interface Visitor {
  readonly role: Role;
  readonly by: 'open' | 'token' | 'session';
}

/** The tokens of a configuration. */
export interface Tokens {
  readonly token: string | undefined;
  readonly readToken: string | undefined;
}

/** How long a session lasts. */
export const SESSION_MS = 7 * 86_400_000;

const SESSION = /^(read|write)\.(\d{1,15})\.([\w-]{43})$/;

/** Tells tokens and sessions apart from guesses, in a time that says nothing about how near a guess was. */
export class Access {
  readonly #tokens: readonly (readonly [Role, string])[];

  constructor({ token, readToken }: Tokens) {
    this.#tokens = [
      ...(token === undefined ? [] : [['write', token] as const]),
      ...(readToken === undefined ? [] : [['read', readToken] as const]),
    ];
  }

  /** Whether a token must be shown. */
  get tokenRequired(): boolean {
    return this.#tokens.length > 0;
  }

  /** The role that a token gives. */
  roleOf(given: string): Role | undefined {
    // Each is compared, so that the time does not tell which one was meant.
    return this.#tokens.filter(([, token]) => isSame(given, token)).map(([role]) => role)[0];
  }

  /** A session for a role, as the value of a cookie. */
  newSession(role: Role, now = Date.now()): string {
    const said = `${role}.${now + SESSION_MS}`;
    return `${said}.${this.#seal(role, said)}`;
  }

  /** The role of a session that has not ended. */
  roleOfSession(value: string, now = Date.now()): Role | undefined {
    const [, word, until, seal = ''] = SESSION.exec(value) ?? [];
    if (word === undefined) return undefined;
    const role = word as Role;
    if (!isSame(seal, this.#seal(role, `${word}.${until}`)) || Number(until) <= now) return undefined;
    return role;
  }

  #seal(role: Role, said: string): string {
    const token = this.#tokens.find(([of]) => of === role)?.[1];
    // A role without a token has no sessions: sealed with a key that nobody has.
    if (token === undefined) return '';
    return createHmac('sha256', token).update(`session ${said}`).digest('base64url');
  }
}

/** Compares digests, which are of one length whatever was given. */
function isSame(given: string, right: string): boolean {
  if (right === '') return false;
  return timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', right, 'buffer'));
}

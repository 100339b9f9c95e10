/**
 * Which repository a task means, as a pure reading of its `repo` field. The https, ssh and scp-like spellings of one
 * remote have one key. What a local path stands for is found out where git is spoken to.
 */

import { SignalboxError } from '../errors.ts';
import { shown } from '../invalid.ts';

/** A repository as it was named. */
export type Repository =
  | {
      readonly kind: 'remote';
      /**
       * `host/path`, the name that locks use. Host and path are folded to lower case, since most forges do not tell
       * cases apart and locking too much is safe: two remotes may share a key, so it is no name for a cache.
       */
      readonly key: string;
      /** What git is given. */
      readonly url: string;
    }
  | { readonly kind: 'path'; readonly path: string };

type Reading = Repository | { readonly kind: 'problem'; readonly clause: string };

const MAX_LENGTH = 2048;
const ACCEPTED = 'must be an https, ssh or git@host:path address or a local path';
const DEFAULT_PORTS: Readonly<Record<string, string>> = { https: '443', http: '80' };
/** Hosts that forges offer for ssh through port 443. */
const ALIASES: Readonly<Record<string, string>> = {
  'ssh.github.com': 'github.com',
  'altssh.gitlab.com': 'gitlab.com',
  'altssh.bitbucket.org': 'bitbucket.org',
};
const TOKEN = /^(gh[a-z]_|github_pat_|glpat-)|^.{40,}$/;

/** Reads `repo`. Throws `INVALID` with the field `repo`; a password in it is not repeated. */
export function parseRepository(repo: string): Repository {
  const reading = read(repo);
  if (reading.kind !== 'problem') return reading;
  throw new SignalboxError('INVALID', `\`repo\` ${reading.clause}; given ${shown(repo)}`, {
    field: 'repo',
    next: 'Give an address such as git@host:team/project.git or https://host/team/project.git, or a local path.',
  });
}

/** What is wrong with `repo`, as a clause; undefined when nothing is. */
export function repositoryProblem(repo: string): string | undefined {
  const reading = read(repo);
  return reading.kind === 'problem' ? reading.clause : undefined;
}

function read(repo: string): Reading {
  if (repo.trim() === '') return problem('must not be empty');
  if (repo.length > MAX_LENGTH) return problem(`must be at most ${MAX_LENGTH} characters`);
  if (/[\u0000-\u001f\u007f]/.test(repo)) return problem('must not contain control characters or line breaks');
  if (/\p{Surrogate}/u.test(repo)) return problem('must be well-formed Unicode');
  if (repo.startsWith('-')) return problem('must not begin with `-`');
  if (/^[a-z0-9+.-]+::/i.test(repo)) return problem(ACCEPTED);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(repo)?.[1]?.toLowerCase();
  if (scheme === 'file') return readFileUrl(repo);
  if (scheme !== undefined) return readUrl(repo, scheme);
  const scp = /^(\[[^\]/]*\]|[^/[\]]+?):(.*)$/.exec(repo.replace(/^[^@/:]*@/, ''));
  if (scp !== null) return readScp(repo, scp[1] as string, scp[2] as string);
  return readPath(repo);
}

function readPath(path: string): Reading {
  if (path.includes('\\')) return problem('must use `/`, not a backslash');
  if (path.startsWith('~')) return problem('must be a whole path: `~` is not expanded here');
  return { kind: 'path', path };
}

function readFileUrl(url: string): Reading {
  const path = decode(url.replace(/^file:\/\/(localhost(?=\/))?/i, ''));
  if (path === undefined || !path.startsWith('/') || /[?#]/.test(url))
    return problem('must be a file address like file:///srv/app.git');
  return readPath(path);
}

function readUrl(url: string, scheme: string): Reading {
  if (!['https', 'http', 'ssh'].includes(scheme)) return problem(ACCEPTED);
  if (/[?#]/.test(url)) return problem('must not contain a query or a fragment');
  const match = /^[^:]+:\/\/(?:([^/]*)@)?(\[[^\]/]*\]|[^/:@[\]]*)(?::(\d*))?(\/.*)?$/.exec(url);
  if (match === null) return problem('must be a complete address');
  const [, user, host = '', port = '', path = ''] = match;
  const wrong = userProblem(user, scheme) ?? hostProblem(host);
  if (wrong !== undefined) return problem(wrong);
  if (scheme === 'http' && !/^(localhost|127\.0\.0\.1|\[::1\])$/i.test(host))
    return problem('must use https, not http');
  // The port of ssh is left out whatever it is, so that a forge's https and ssh addresses stay one repository.
  const kept = scheme === 'ssh' || port === '' || port === DEFAULT_PORTS[scheme] ? '' : `:${Number(port)}`;
  return remote(url, `${hostKey(host)}${kept}`, path);
}

function readScp(repo: string, host: string, path: string): Reading {
  const user = /^([^@/:]*)@/.exec(repo)?.[1];
  const wrong = userProblem(user, 'ssh') ?? (host.includes('@') ? 'must not contain a password' : hostProblem(host));
  if (wrong !== undefined) return problem(wrong);
  if (/^[^/]*@[^/]*:/.test(path)) return problem('must not contain a password');
  if (path.startsWith('-')) return problem('must not have a path that begins with `-`');
  return remote(repo, hostKey(host), path);
}

function userProblem(user: string | undefined, scheme: string): string | undefined {
  if (user === undefined) return undefined;
  if (user.includes(':') || user.includes('@')) return 'must not contain a password';
  if (scheme !== 'ssh' && TOKEN.test(user)) return 'must not contain a token: git takes it from its credential helper';
  return /^\w[\w.+-]*$/.test(user) ? undefined : 'must have a plain user name';
}

function hostProblem(host: string): string | undefined {
  const plain = /^[a-z0-9]([a-z0-9._-]*[a-z0-9.])?$/i.test(host) || /^\[[0-9a-f:.]+\]$/i.test(host);
  return plain ? undefined : 'must have a plain host name';
}

function hostKey(host: string): string {
  const name = host.toLowerCase().replace(/\.$/, '');
  return ALIASES[name] ?? name;
}

function remote(url: string, host: string, rawPath: string): Reading {
  const decoded = rawPath.includes('%') && url.includes('://') ? decode(rawPath) : rawPath;
  if (decoded === undefined || /[\u0000-\u001f\u007f\\]/.test(decoded)) return problem('must have a plain path');
  const parts = decoded.split('/').filter((part) => part !== '');
  if (parts.includes('.') || parts.includes('..')) return problem('must not contain `.` or `..` as a part of its path');
  const path = parts
    .join('/')
    .replace(/\.git$/i, '')
    .replace(/\/+$/, '');
  if (path === '') return problem('must name a repository on its host');
  return { kind: 'remote', key: `${host}/${path.normalize('NFC').toLowerCase()}`, url };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function problem(clause: string): Reading {
  return { kind: 'problem', clause };
}

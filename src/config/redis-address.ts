/**
 * Where the Redis of a queue is, as its address says: one server (`redis://host:6379`), a primary that Sentinels know
 * (`redis+sentinel://host:26379,host:26379/name`) or a cluster (`redis+cluster://host:6379,host:6379`). `rediss` instead
 * of `redis` is the same over TLS. User and password are Redis's; none are sent to the Sentinels.
 */

/** A host and a port, as ioredis takes them. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** An address that was read. `sentinel` and `cluster` name some of those to ask; the others are found by them. */
export type RedisAddress =
  | { readonly kind: 'server'; readonly url: string }
  | (Several & { readonly kind: 'sentinel'; readonly name: string; readonly db: number })
  | (Several & { readonly kind: 'cluster' });

interface Several {
  readonly endpoints: readonly Endpoint[];
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

const FORM =
  /^redis(?<tls>s?)\+(?<kind>sentinel|cluster):\/\/(?:(?<user>[^@/,]*)@)?(?<hosts>[^/?#]+)(?:\/(?<path>[^?#]*))?$/;
const PORTS = { sentinel: 26_379, cluster: 6_379 } as const;

/** What `text` means, or undefined if it is no address of Redis. */
export function parseRedisAddress(text: string): RedisAddress | undefined {
  const parts = FORM.exec(text)?.groups;
  if (parts === undefined) return isServer(text) ? { kind: 'server', url: text } : undefined;
  const { tls, user = '', hosts = '', path = '' } = parts;
  const kind = parts['kind'] as keyof typeof PORTS;
  const endpoints = hosts.split(',').map((host) => endpoint(host, PORTS[kind]));
  if (!endpoints.every((one) => one !== undefined)) return undefined;
  const several = { endpoints, tls: tls === 's', ...credentials(user) };
  if (kind === 'cluster') return path === '' ? { kind, ...several } : undefined;
  const [, name, db = '0'] = /^([\w.-]+)(?:\/(\d{1,4}))?$/.exec(path) ?? [];
  return name === undefined ? undefined : { kind, ...several, name, db: Number(db) };
}

function isServer(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && ['redis:', 'rediss:'].includes(url.protocol) && url.hostname !== '';
}

function endpoint(text: string, defaultPort: number): Endpoint | undefined {
  const url = URL.canParse(`redis://${text}`) ? new URL(`redis://${text}`) : undefined;
  if (url === undefined || url.hostname === '' || url.username !== '' || url.port === '0') return undefined;
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: url.port === '' ? defaultPort : Number(url.port) };
}

function credentials(user: string): Pick<Several, 'username' | 'password'> {
  const [, name = '', password = ''] = /^([^:]*):?(.*)$/.exec(user) ?? [];
  return { username: decode(name), password: decode(password) };
}

function decode(text: string): string | undefined {
  try {
    return text === '' ? undefined : decodeURIComponent(text);
  } catch {
    return text;
  }
}

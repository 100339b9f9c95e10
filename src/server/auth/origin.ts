/** Whether a request comes from our own page, from a program, or from somebody else's page. Pure. */

/** What a request says about where it comes from. */
export interface Provenance {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
}

/**
 * `same`: from a page of this address; `none`: it does not say, as programs do not and browsers always do when they send
 * something; `other`: from another page.
 */
export function originOf({ host, origin, fetchSite }: Provenance): 'same' | 'none' | 'other' {
  // A browser says this of its own, and no page can. `Host` may be another name than that in its address bar: a proxy's.
  if (fetchSite === 'same-origin') return 'same';
  if (origin !== undefined) return isOwn(origin, host) && fetchSite !== 'cross-site' ? 'same' : 'other';
  return fetchSite === undefined ? 'none' : 'other';
}

function isOwn(origin: string, host: string | undefined): boolean {
  // The scheme is not compared: a proxy may have taken TLS off.
  const match = /^https?:\/\/([^/]+)$/i.exec(origin);
  return match !== null && host !== undefined && match[1]?.toLowerCase() === host.toLowerCase();
}

/** Whether an address is reached from this machine alone. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}

/**
 * Whether a `Host` header names this machine by itself. On loopback nothing else is right: a page whose name is made to
 * lead to 127.0.0.1 sends that name here (DNS rebinding).
 */
export function isLocalHost(host: string | undefined): boolean {
  const name = host?.replace(/:\d+$/, '') ?? '';
  return isLoopback(name) || /^[a-z0-9-]+\.localhost$/i.test(name);
}

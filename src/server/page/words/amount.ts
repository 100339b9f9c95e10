/** Numbers, sizes and ids as people read them. */

/** `1 task`, `3 tasks`, `12,000 tasks`. */
export function countWords(count: number, noun: string): string {
  return `${numberWords(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** With commas between thousands. */
export function numberWords(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `512 B`, `3.4 kB`, `12 MB`. */
export function bytesWords(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let amount = bytes;
  let unit = 0;
  while (amount >= 999.5 && unit < units.length - 1) {
    amount /= 1_000;
    unit += 1;
  }
  return `${unit === 0 || amount >= 9.95 ? Math.round(amount) : amount.toFixed(1)} ${units[unit]}`;
}

/** The end of a task's id: its head is the same for all tasks of a queue. */
export function shortId(id: string): string {
  return id.length <= 10 ? id : `…${id.slice(-6)}`;
}

/** A repository's address without what all addresses have: `acme/app` of `git@git.example.com:acme/app.git`. */
export function shortRepo(repo: string): string {
  const parts = repo
    .replace(/\.git\/?$/, '')
    .replace(/\/+$/, '')
    .split(/[/:]/)
    .filter((part) => part !== '');
  return parts.slice(-2).join('/') || repo;
}

/** What a resource's name is of, and what it is called: `path:src/a.ts` is [`path`, `src/a.ts`]. */
export function resourceParts(resource: string): readonly [kind: string, name: string] {
  const colon = resource.indexOf(':');
  if (colon < 0) return ['', resource];
  const name = resource.slice(colon + 1);
  const kind = resource.slice(0, colon);
  // The root of a repository has no name.
  return [kind, kind === 'path' && name === '' ? 'the whole repository' : name];
}

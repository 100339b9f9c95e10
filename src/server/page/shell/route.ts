/** Which view an address is of. Pure. */

/** A view, and what it shows. */
export type Route =
  | { readonly view: 'now' | 'timeline' | 'hot' | 'limits' }
  | { readonly view: 'tasks'; readonly query: Readonly<Record<string, string>> }
  | { readonly view: 'task'; readonly id: string }
  | { readonly view: 'nowhere'; readonly path: string };

/** The view of a path and what follows its `?`. */
export function routeOf(path: string, search = ''): Route {
  const parts = path.split('/').filter((part) => part !== '');
  const [first = '', second] = parts;
  if (parts.length === 0) return { view: 'now' };
  if (parts.length === 1 && (first === 'timeline' || first === 'hot' || first === 'limits')) return { view: first };
  if (first === 'tasks' && parts.length === 1) {
    return { view: 'tasks', query: Object.fromEntries(new URLSearchParams(search)) };
  }
  if (first === 'tasks' && parts.length === 2 && second !== undefined) return { view: 'task', id: unescaped(second) };
  return { view: 'nowhere', path };
}

/** The address of a task's page. */
export function taskPath(id: string): string {
  return `/tasks/${encodeURIComponent(id)}`;
}

/** The address of the list of tasks, filtered. */
export function tasksPath(query: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== '');
  return pairs.length === 0 ? '/tasks' : `/tasks?${new URLSearchParams(pairs).toString()}`;
}

/** An address that is no valid escape is taken as it is. */
function unescaped(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Pages of a list that grows at its head while it is read. Pure. */

/** These, and after them those of the others that are not among them. */
export function joined<T extends { readonly id: string }>(newer: readonly T[], older: readonly T[]): T[] {
  const ids = new Set(newer.map(({ id }) => id));
  return [...newer, ...older.filter(({ id }) => !ids.has(id))];
}

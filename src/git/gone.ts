/** Files that others may remove at any time. */

/**
 * For `catch`: answers `none` where there is nothing at that path (any more). Any other error stays one: what cannot be
 * read is not what does not exist.
 */
export function noneIfGone<T>(none: T): (error: unknown) => T {
  return (error) => {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return none;
    throw error;
  };
}

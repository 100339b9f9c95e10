/** The patterns of a sparse checkout in git's cone form, so that a checkout costs what is claimed. */

/** What to check out: folders with all below them, and folders of which only the files directly inside are needed. */
export interface Cone {
  readonly folders: readonly string[];
  readonly parents: readonly string[];
}

/**
 * The lines of `info/sparse-checkout`. Paths are relative, without a trailing slash. Files at the top are always in;
 * on the way down to a folder the files beside the way are in too: that is what git's cone form can say.
 */
export function conePatterns({ folders, parents }: Cone): string {
  const whole = new Set(folders.filter((folder) => !ancestors(folder).some((above) => folders.includes(above))));
  const partial = new Set([...folders, ...parents].flatMap(ancestors).concat(parents));
  const lines = ['/*', '!/*/'];
  for (const folder of [...whole, ...partial].sort()) {
    if (ancestors(folder).some((above) => whole.has(above))) continue;
    lines.push(`/${escape(folder)}/`);
    if (!whole.has(folder)) lines.push(`!/${escape(folder)}/*/`);
  }
  return `${[...new Set(lines)].join('\n')}\n`;
}

/** Every folder above a path, the nearest last. */
export function ancestors(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function escape(path: string): string {
  return path.replace(/[\\*?[]/g, '\\$&');
}

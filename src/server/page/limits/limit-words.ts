/** What a limit is of, and what it may be. Pure. */

/** What a limit says, in words. */
export function limitWords(name: string): string {
  const [kind = '', ...rest] = name.split(':');
  const of = rest.join(':');
  switch (kind) {
    case 'max_parallel_runners':
      return 'runners in the whole fleet';
    case 'owner':
      return `tasks of ${of} at once`;
    case 'spec':
      return `tasks of the spec ${of} at once`;
    case 'resource':
      return `how many of ${of} there are`;
    case 'weight':
      return `the share of ${of} among owners; 1 if none is set`;
    default:
      return '';
  }
}

/** Why a value cannot be, if it cannot. The dashboard has the last word. */
export function limitProblem(name: string, text: string): string | undefined {
  const value = Number(text);
  if (name.startsWith('weight:')) return value > 0 ? undefined : 'A weight is a number above 0.';
  return /^\d{1,6}$/.test(text) ? undefined : 'A limit is a whole number, 0 or more.';
}

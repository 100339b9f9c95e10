/** git with this user's settings, for commands that ask it directly. */

import { processSources } from '../config/process.ts';
import { createGit, type Git } from '../git/git.ts';

/** Makes the function that runs git. */
export function userGit(): Git {
  return createGit({ env: processSources().env });
}

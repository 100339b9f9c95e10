/** Whom a task counts for that does not say. */

import { userInfo } from 'node:os';

/** The user who runs this process. */
export function currentUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A process without an entry in the user database, as in some containers.
    return 'unknown';
  }
}

/**
 * The supervisor of one worker, which starts it (see src/runner/supervisor/). Arguments: the best isolation to try, and
 * the folders to look for programs in.
 */
import { superviseUntilDisconnected } from '../src/runner/supervisor/program.ts';

const [isolation, path = ''] = process.argv.slice(2);
await superviseUntilDisconnected(isolation === 'group' ? 'group' : 'pidns', path);
process.exit();

/** The process that starts git for a worker, which starts it (see src/git/fork-server/). */
import { serveUntilDisconnected } from '../src/git/fork-server/program.ts';

await serveUntilDisconnected();
process.exit();

/** The guard of one command of `signalbox exec`, which starts it (see src/client/exec/). Argument: the command's mark. */
import { guardUntilDone } from '../src/client/exec/guard-program.ts';

await guardUntilDone(process.argv[2] ?? '');
process.exit();

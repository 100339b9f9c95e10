/** A worker that runs one step and feeds its run's deadline, until something is done to it from outside. */
import { startSupervisor } from '../../../src/runner/supervisor/client.ts';
import { spreadingScript, stepOf } from './support.ts';

const { TOKEN = '', ISOLATION, DEADLINE_MS } = process.env;
const deadlineMs = Number(DEADLINE_MS);

const supervisor = await startSupervisor({
  env: process.env,
  answerMs: 3_000,
  isolation: ISOLATION === 'group' ? 'group' : 'pidns',
});
const run = supervisor.openRun({ runId: TOKEN, deadlineMs });
setInterval(() => run.extend(deadlineMs), deadlineMs / 5);
process.stdout.write(`${JSON.stringify({ supervisor: supervisor.pid })}\n`);
const result = await run.step(stepOf(spreadingScript(TOKEN)));
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit();

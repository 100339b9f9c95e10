/** Stands in for a coding agent's command line: `agent.mjs -p PROMPT` edits the files that the prompt names. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { prompt = '' } = parseArgs({ options: { prompt: { type: 'string', short: 'p' } } }).values;
const key = process.env.EXAMPLE_AGENT_KEY;
if (key === undefined) throw new Error('EXAMPLE_AGENT_KEY is not set');
console.log(`agent: using the key ${key}`);

const [file] = prompt.match(/src\/\S+\.mjs/) ?? [];
if (file === undefined) throw new Error('the prompt names no file');
console.log(`agent: working on ${file}`);
const note = `// ${prompt}\n`;
writeFileSync(file, `${note}${readFileSync(file, 'utf8')}`);
if (prompt.includes('document')) appendFileSync('README.md', `\n${file} was changed.\n`);

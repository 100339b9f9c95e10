/** Turns `var` into `const`, or `let` where the variable is assigned again, in every .js file of a folder. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder = '.'] = process.argv.slice(2);
for (const name of readdirSync(folder).filter((file) => file.endsWith('.js'))) {
  const file = join(folder, name);
  const text = readFileSync(file, 'utf8');
  const changed = text.replace(/^(\s*)var (\w+)/gm, (_, blanks, variable) => {
    const assignments = text.match(new RegExp(`\\b${variable}\\s*[-+*/]?=[^=]`, 'g')) ?? [];
    return `${blanks}${assignments.length > 1 ? 'let' : 'const'} ${variable}`;
  });
  if (changed !== text) writeFileSync(file, changed);
}

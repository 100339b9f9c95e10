/** Reads what `npm outdated --json` prints on stdin; writes a list of tasks, one an update, as JSON. */
import { text } from 'node:stream/consumers';

const outdated = Object.entries(JSON.parse(await text(process.stdin)));
const tasks = outdated.flatMap(([name, uses]) =>
  // Several workspaces that use one package are a list.
  [uses].flat().map(({ current, latest, dependent }) => {
    const folder = `apps/${dependent}`;
    return {
      title: `Update ${name} of ${dependent} from ${current} to ${latest}`,
      repo: '.',
      branch: `deps/${dependent}/${name}-${latest}`,
      claims: { write: [`${folder}/package.json`] },
      implement: [`npm pkg set 'dependencies.${name}=${latest}' --prefix ${folder}`],
      test: [`grep -q '"${name}": "${latest}"' ${folder}/package.json`],
      priority: 'low',
      owner: 'dependency-updates',
      idempotencyKey: `${dependent}-${name}-${latest}`,
    };
  }),
);
process.stdout.write(`${JSON.stringify(tasks, null, 2)}\n`);

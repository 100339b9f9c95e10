/** `signalbox init`: a configuration to begin with. */

import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { processSources } from '../../config/process.ts';
import { SignalboxError } from '../../errors.ts';
import { command } from '../command.ts';
import { configText } from '../init/config-text.ts';

interface InitOptions {
  readonly force?: boolean;
}

const FILE = 'signalbox.yaml';

/** Writes a `signalbox.yaml` in which everything is explained and nothing is set. */
export const init = command<InitOptions>({
  name: 'init',
  summary: 'write a signalbox.yaml with every option, explained and commented out',
  details: `It is written to the current folder, and holds for it and all folders below. Nothing is set in it: take the # away
from what you want to change. One that is there already is left alone unless --force is given.`,
  json: '{path}',
  examples: ['signalbox init', 'signalbox init --force'],
  options: (made) => made.option('--force', 'write over a signalbox.yaml that is there'),
  run: async ({ options, out }) => {
    const path = resolve(processSources().cwd, FILE);
    try {
      await writeFile(path, configText(), { flag: options.force === true ? 'w' : 'wx' });
    } catch (error) {
      throw notWritten(error as NodeJS.ErrnoException, path);
    }
    out.data({ path }, () => `Wrote ${path}.`);
    return undefined;
  },
});

function notWritten(error: NodeJS.ErrnoException, path: string): SignalboxError {
  if (error.code === 'EEXIST') {
    return new SignalboxError('STATE', `There is a ${path} already.`, {
      next: 'Edit it, or write over it with `signalbox init --force`.',
      cause: error,
    });
  }
  return new SignalboxError('WORKSPACE', `${path} cannot be written: ${error.code ?? error.message}.`, {
    next: 'Go to a folder that you may write to, or make room on its disk.',
    cause: error,
  });
}

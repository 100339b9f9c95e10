/** How a command is described: its arguments and options, its help with examples, and what it does. */

import type { Command } from 'commander';
import type { Signalbox } from '../client/signalbox.ts';
import { loadConfig } from '../config/config.ts';
import type { Options } from '../config/options.ts';
import { processSources } from '../config/process.ts';
import { findUp } from '../config/up-file.ts';
import { SignalboxError } from '../errors.ts';
import type { Output } from './output.ts';

/** Options that every command takes. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly redisUrl?: string;
  readonly queue?: string;
  readonly data?: string;
}

/** What a command is given when it runs. */
export interface Context<O> {
  readonly args: readonly string[];
  readonly options: O & GlobalOptions;
  /** The options of the configuration among the flags. */
  readonly flags: Options;
  readonly out: Output;
  /** The program that the command is part of. */
  readonly program: Command;
  /** Connects to the queue; the caller closes. Throws INVALID or REDIS_UNREACHABLE. */
  readonly connect: () => Promise<Signalbox>;
}

/** A command. */
export interface CommandSpec<O> {
  /** Its name and arguments: `show <id>`. */
  readonly name: string;
  readonly summary: string;
  /** More about it, under the summary: paragraphs with an empty line between them. */
  readonly details?: string;
  /** The shape of what `--json` prints. */
  readonly json: string;
  /** Lines that can be typed. */
  readonly examples: readonly string[];
  /** Adds its own options. */
  readonly options?: (command: Command) => Command;
  readonly commands?: readonly Adder[];
  /** Does it; answers an exit code other than 0. */
  readonly run: (context: Context<O>) => Promise<number | undefined>;
}

/** What commands share. */
export interface Shared {
  readonly out: Output;
  readonly setExitCode: (code: number) => void;
}

/** Adds a command to its parent. */
export type Adder = (parent: Command, shared: Shared) => void;

/** Makes a command from its description. */
export function command<O>(spec: CommandSpec<O>): Adder {
  return (parent, shared) => {
    const made = parent.command(spec.name).summary(spec.summary).description(describe(spec));
    spec.options?.(made);
    made.addHelpText('after', `\nExamples:\n${spec.examples.map((line) => `  $ ${line}`).join('\n')}`);
    made.action(async () => {
      const options = made.optsWithGlobals<O & GlobalOptions>();
      const flags = flagsOf(options);
      const { out } = shared;
      const context = {
        args: made.args,
        options,
        flags,
        out,
        program: rootOf(made),
        connect: async () => await connect(flags),
      };
      shared.setExitCode((await spec.run(context)) ?? 0);
    });
    for (const add of spec.commands ?? []) add(made, shared);
  };
}

/** For options that may be given more than once. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** The lines of a paragraph are joined, since commander breaks them where the terminal's width asks for it. */
function describe({ summary, details, json }: Pick<CommandSpec<unknown>, 'summary' | 'details' | 'json'>): string {
  const sentence = `${summary[0]?.toUpperCase() ?? ''}${summary.slice(1)}.`;
  return [sentence, ...(details === undefined ? [] : [details]), `JSON: ${json}`]
    .map((paragraph) => paragraph.replace(/([^\n])\n(?!\n)/g, '$1 '))
    .join('\n\n');
}

function rootOf(made: Command): Command {
  return made.parent === null ? made : rootOf(made.parent);
}

function flagsOf({ redisUrl, queue, data }: GlobalOptions): Options {
  return {
    ...(redisUrl === undefined ? {} : { redisUrl }),
    ...(queue === undefined ? {} : { queue }),
    ...(data === undefined ? {} : { dataDir: data }),
  };
}

/** What it stands on takes half of a second to load: not every command connects. */
async function connect(flags: Options): Promise<Signalbox> {
  const { Signalbox } = await import('../client/signalbox.ts');
  try {
    return await Signalbox.connect(flags);
  } catch (error) {
    throw error instanceof SignalboxError && error.code === 'REDIS_UNREACHABLE' ? whyAway(error, flags) : error;
  }
}

/** A Redis that an `up.json` names went away with its `up`. */
function whyAway(error: SignalboxError, flags: Options): SignalboxError {
  const sources = processSources();
  const config = loadConfig({ ...sources, flags });
  const found = config.redisFrom === 'up' ? findUp(sources.cwd, config.dataDir) : undefined;
  if (found === undefined) return error;
  const { path, up } = found;
  return new SignalboxError(
    'REDIS_UNREACHABLE',
    `The \`signalbox up\` that ${path} names (process ${up.pid}) is not running: its Redis does not answer.`,
    { next: 'Start it again with `signalbox up`; its tasks are kept.', cause: error },
  );
}

#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { packageRoot } from '../broker/process/package-root.js';
import { FaultError, fault, toFault } from '../schemas/errors.js';
import { EXIT, exitCodeOf } from './exit.js';
import { onBrokenPipe, printError } from './output.js';
import { wantsJson, withExamples } from './run.js';

const version = (): string => {
  const manifest: unknown = JSON.parse(
    readFileSync(join(packageRoot(import.meta.url), 'package.json'), 'utf8'),
  );
  return (manifest as { version: string }).version;
};

type Add = (program: Command) => void;

/** Every command, in the order of the help. Only the files of the one that is asked for are loaded. */
const COMMANDS: Readonly<Record<string, () => Promise<Add>>> = {
  start: async () => (await import('./commands/start.js')).addStart,
  env: async () => (await import('./commands/env.js')).addEnv,
  status: async () => (await import('./commands/status.js')).addStatus,
  call: async () => (await import('./commands/call.js')).addCall,
  agent: async () => (await import('./commands/agent.js')).addAgent,
  conversation: async () => (await import('./commands/conversation.js')).addConversation,
  module: async () => (await import('./commands/module.js')).addModule,
  dead: async () => (await import('./commands/dead.js')).addDead,
  schedule: async () => (await import('./commands/schedule.js')).addSchedule,
  burst: async () => (await import('./commands/burst.js')).addBurst,
  replay: async () => (await import('./commands/replay/index.js')).addReplay,
};

/** The command that is asked for; all of them where none is, or one that there is not: for the help, and what was meant. */
const wanted = (args: readonly string[]): readonly (() => Promise<Add>)[] => {
  const name = args.find((arg) => !arg.startsWith('-')) ?? '';
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  return load === undefined ? Object.values(COMMANDS) : [load];
};

const build = async (): Promise<Command> => {
  const program = new Command('tallystick')
    .description(
      'An event-sourced message broker on NATS JetStream: every call and event is a durable record.',
    )
    .version(version())
    .showSuggestionAfterError()
    .exitOverride()
    // Its errors are printed below, in the shape of all others.
    .configureOutput({ outputError: () => undefined });
  withExamples(program, [
    'tallystick start',
    'tallystick call accounts.deposit \'{"amount":5}\' --agent alice',
    'tallystick status',
    'tallystick replay history --agent alice',
  ]);
  const adds = await Promise.all(wanted(process.argv.slice(2)).map((load) => load()));
  for (const add of adds) add(program);
  return program;
};

const HELP = new Set(['commander.helpDisplayed', 'commander.version']);

const main = async (): Promise<void> => {
  onBrokenPipe('end');
  try {
    await (await build()).parseAsync();
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      process.exitCode = HELP.has(thrown.code) ? EXIT.done : EXIT.usage;
      // A group without its subcommand has printed its help on stderr, which says more than an error could.
      if (HELP.has(thrown.code) || (thrown.code === 'commander.help' && !wantsJson())) return;
      const said = thrown.code === 'commander.help' ? 'a subcommand is missing' : thrown.message;
      const message = said.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
      printError(fault('USAGE', message), wantsJson());
      return;
    }
    const problem = thrown instanceof FaultError ? thrown.fault : toFault(thrown);
    printError(problem, wantsJson());
    process.exitCode = exitCodeOf(problem);
  }
};

await main();
// A socket that still dials an address where nobody answers would hold the process for as long as the system tries.
process.stdout.write('', () => process.exit());

#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { packageRoot } from '../broker/process/package-root.js';
import { FaultError, fault, toFault } from '../schemas/errors.js';
import { addAgent } from './commands/agent.js';
import { addCall } from './commands/call.js';
import { addConversation } from './commands/conversation.js';
import { addDead } from './commands/dead.js';
import { addEnv } from './commands/env.js';
import { addModule } from './commands/module.js';
import { addReplay } from './commands/replay/index.js';
import { addSchedule } from './commands/schedule.js';
import { addStart } from './commands/start.js';
import { addStatus } from './commands/status.js';
import { EXIT, exitCodeOf } from './exit.js';
import { onBrokenPipe, printError } from './output.js';
import { wantsJson, withExamples } from './run.js';

const version = (): string => {
  const manifest: unknown = JSON.parse(
    readFileSync(join(packageRoot(import.meta.url), 'package.json'), 'utf8'),
  );
  return (manifest as { version: string }).version;
};

const build = (): Command => {
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
  for (const add of [
    addStart,
    addEnv,
    addStatus,
    addCall,
    addAgent,
    addConversation,
    addModule,
    addDead,
    addSchedule,
    addReplay,
  ])
    add(program);
  return program;
};

const HELP = new Set(['commander.helpDisplayed', 'commander.version']);

const main = async (): Promise<void> => {
  onBrokenPipe('end');
  try {
    await build().parseAsync();
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

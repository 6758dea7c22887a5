import { Command, CommanderError } from 'commander';
import { isLeft } from 'fp-ts/lib/Either.js';
import { packageVersion } from '../system/files/package-root.js';
import { FaultError, fault } from '../schemas/errors.js';
import { checkArguments } from './options/arguments.js';
import { EXIT, exitCodeOf } from './output/exit.js';
import { addWanted, type LazyCommands } from './options/lazy-commands.js';
import { printError } from './output/output.js';
import { whenUnwritten } from './output/output-end.js';
import { wantsJson, withExamples } from './output/run-command.js';
import { terminal } from './output/terminal.js';
import { withExitCodes } from './output/exit-meanings.js';
import { type CommandName, typedProgram } from './output/typed-program.js';
import { faultThrown } from './output/thrown-fault.js';

const termOf = (command: Command): string =>
  [
    command.name(),
    ...command.registeredArguments.map((one) => (one.required ? `<${one.name()}>` : `[${one.name()}]`)),
  ].join(' ');

const COMMANDS: LazyCommands & Readonly<Record<CommandName | 'complete', unknown>> = {
  start: async () => (await import('./commands/start-command.js')).addStart,
  dev: async () => (await import('./commands/dev-command.js')).addDev,
  doctor: async () => (await import('./commands/doctor-command.js')).addDoctor,
  env: async () => (await import('./commands/env-command.js')).addEnv,
  connect: async () => (await import('./commands/connect-command.js')).addConnect,
  status: async () => (await import('./commands/status-command.js')).addStatus,
  asyncapi: async () => (await import('./commands/asyncapi-command.js')).addAsyncApi,
  top: async () => (await import('./commands/top-command.js')).addTop,
  call: async () => (await import('./commands/call-command.js')).addCall,
  result: async () => (await import('./commands/result-command.js')).addResult,
  cancel: async () => (await import('./commands/cancel-command.js')).addCancel,
  restart: async () => (await import('./commands/restart-command.js')).addRestart,
  signal: async () => (await import('./commands/signal-command.js')).addSignal,
  subscribe: async () => (await import('./commands/subscribe-command.js')).addSubscribe,
  subscription: async () => (await import('./commands/subscription-command.js')).addSubscription,
  promise: async () => (await import('./commands/promise-command.js')).addPromise,
  agent: async () => (await import('./commands/agent-command.js')).addAgent,
  wait: async () => (await import('./commands/wait-command.js')).addWait,
  conversation: async () => (await import('./commands/conversation-command.js')).addConversation,
  module: async () => (await import('./commands/module-command.js')).addModule,
  dead: async () => (await import('./commands/dead-command.js')).addDead,
  schedule: async () => (await import('./commands/schedule-command.js')).addSchedule,
  config: async () => (await import('./commands/config-command.js')).addConfig,
  token: async () => (await import('./commands/token-command.js')).addToken,
  logs: async () => (await import('./commands/logs-command.js')).addLogs,
  audit: async () => (await import('./commands/audit-command.js')).addAudit,
  bench: async () => (await import('./commands/bench-command.js')).addBench,
  burst: async () => (await import('./commands/burst-command.js')).addBurst,
  replay: async () => (await import('./commands/replay/replay-commands.js')).addReplay,
  completion: async () => (await import('./commands/completion-command.js')).addCompletion,
  complete: async () => (await import('./commands/completion-command.js')).addComplete(buildProgram),
};

const VERSION = new Set(['--version', '-V']);

/** The command tree, with what the words need of it, or all of it. Its help shows commands as you type them. */
export const buildProgram = async (words: readonly string[], typed = typedProgram()): Promise<Command> => {
  const program = new Command(typed)
    .description(
      'An event-sourced message broker on NATS JetStream: every call and event is a durable record.',
    )
    .version(packageVersion())
    .showSuggestionAfterError()
    .exitOverride()
    // Descriptions wrap also on a narrow terminal; every command takes options, so its line need not mention them.
    .configureHelp({ minWidthToWrap: 20, subcommandTerm: (command) => termOf(command) })
    // Its errors are printed below, in the form of all other errors.
    .configureOutput({ outputError: () => undefined, getOutHelpWidth: () => terminal().columns ?? 80 });
  withExamples(program, [
    'tallystick start',
    'tallystick call accounts.deposit \'{"amount":5}\' --agent alice',
    'tallystick status',
    'tallystick replay history --agent alice',
  ]);
  // The version needs the files of no command.
  const isVersion = words.length === 1 && VERSION.has(words[0] ?? '');
  if (!isVersion) await addWanted(program, COMMANDS, words);
  withExitCodes(program);
  return program;
};

const HELP = new Set(['commander.helpDisplayed', 'commander.version']);

/** The command line: from the arguments of the process to its exit code. The caller ends the process. */
export const main = async (): Promise<void> => {
  whenUnwritten('end');
  try {
    const read = checkArguments();
    if (isLeft(read)) throw new FaultError(read.left);
    await (await buildProgram(process.argv.slice(2))).parseAsync();
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      process.exitCode = HELP.has(thrown.code) ? EXIT.done : EXIT.usage;
      // A group without its subcommand has printed its help on stderr, which helps more than an error.
      if (HELP.has(thrown.code) || (thrown.code === 'commander.help' && !wantsJson())) return;
      const text = thrown.code === 'commander.help' ? 'a subcommand is missing' : thrown.message;
      const message = text.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
      printError(fault('USAGE', message), wantsJson());
      return;
    }
    const problem = faultThrown(thrown);
    printError(problem, wantsJson());
    process.exitCode = exitCodeOf(problem);
  }
};

import { isUtf8 } from 'node:buffer';
import type { Command } from 'commander';
import { type Either, isLeft, left, mapLeft, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { headers as makeHeaders, type MsgHdrs } from 'nats';
import { isErrorCode } from '../../schemas/error-table.js';
import { parseKey } from '../../schemas/command-key.js';
import { type Fault, fault } from '../../schemas/errors.js';
import {
  parseTiming,
  SCHEDULE_HEADER,
  type Schedule,
  scheduleSubject,
  type WhenHeaders,
} from '../../schemas/schedule.js';
import { type Address, callSubject, parseAddress } from '../../schemas/subjects.js';
import { PRIORITIES, type TypedCallOptions, type SentCommand, sendCommand } from '../jobs/typed-call.js';
import { withConnection, withTargetOptions } from '../connect/connect.js';
import { EXIT, type ExitCode, exitCodeOf } from '../output/exit.js';
import { oneOf, waiting, withDefault } from '../options/option-values.js';
import { type ErrorLine, print, printError, printJson } from '../output/output.js';
import { printResult } from '../output/print-result.js';
import { done, orUsage, runCommand, withExamples } from '../output/run-command.js';
import type { TargetOptions } from '../../link/target.js';

interface Options extends TargetOptions, WhenHeaders, TypedCallOptions {
  readonly json?: boolean;
  readonly agent?: string;
}

const parseKeyOption = (text: string): string =>
  orUsage('--key', mapLeft(({ message }: Fault) => fault('USAGE', message))(parseKey(text)));

/** The size limit for stdin, above every limit of a payload: a device that is piped in may never end. */
const MAX_STDIN_BYTES = 4 * 1024 * 1024;

const readStdin = async (): Promise<Either<Fault, Buffer>> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_STDIN_BYTES)
      return left(
        fault('PAYLOAD_TOO_LARGE', `stdin has more than ${MAX_STDIN_BYTES} bytes; nothing was sent`),
      );
  }
  return right(Buffer.concat(chunks));
};

/**
 * The payload in the bytes in which it was written, checked to be JSON. Writing it again would change large numbers.
 */
const payload = async (json: string | undefined): Promise<Either<Fault, Uint8Array>> => {
  const read = json === '-' ? await readStdin() : right(Buffer.from(json ?? '{}'));
  if (isLeft(read)) return read;
  const bytes = read.right;
  const reason = !isUtf8(bytes) ? 'its bytes are not UTF-8' : notJson(bytes.toString('utf8'));
  return reason === undefined
    ? right(bytes)
    : left(fault('USAGE', `the payload is not JSON and was not sent: ${reason}`));
};

const notJson = (text: string): string | undefined => {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

const addressOf = (action: string, agent: string | undefined): Either<Fault, Address> => {
  const address = parseAddress(action);
  if (isLeft(address) || agent === undefined) return address;
  if (address.right.agent !== undefined && address.right.agent !== agent) {
    return left(
      fault('USAGE', `${action} names the agent ${address.right.agent}, and --agent names ${agent}`),
    );
  }
  return parseAddress(`${address.right.module}.${address.right.name}.${agent}`);
};

/** What you type, for refusals that tell callers of every kind which subject to use. */
const TYPED: Readonly<Record<string, string>> = {
  AGENT_REQUIRED: 'add --agent ID',
  AGENT_UNEXPECTED: 'name no agent',
};

const refusal = (error: ErrorLine): ErrorLine => {
  const typed = Object.hasOwn(TYPED, error.code) ? TYPED[error.code] : undefined;
  return typed === undefined
    ? error
    : { ...error, message: `${error.message}; on the command line, ${typed}` };
};

const isScheduled = (options: WhenHeaders): boolean =>
  Object.keys(SCHEDULE_HEADER).some((key) => options[key as keyof WhenHeaders] !== undefined);

/** The headers that ask for a command later. They are checked here too: a wrong one is not sent. */
const whenOf = (options: WhenHeaders): Either<Fault, MsgHdrs> => {
  const timing = parseTiming(options, Date.now());
  if (isLeft(timing)) return timing;
  const all = makeHeaders();
  for (const [key, name] of Object.entries(SCHEDULE_HEADER)) {
    const value = options[key as keyof WhenHeaders];
    if (value !== undefined) all.set(name, value);
  }
  return right(all);
};

const callNow = (options: Options, sent: SentCommand): TaskEither<Fault, ExitCode> =>
  withConnection(options, (nc) => async () => {
    const replied = await sendCommand(nc, sent, options);
    return isLeft(replied) ? replied : right(printResult(replied.right, options.json === true, refusal));
  });

const callLater = (options: Options, sent: SentCommand): TaskEither<Fault, ExitCode> =>
  withConnection(options, (nc) => async () => {
    const replied = await sendCommand(nc, sent, options);
    if (isLeft(replied)) return replied;
    const { result } = replied.right;
    if (result.status !== 'ok') {
      const { error } = result;
      printError(refusal(error), options.json === true);
      return right(isErrorCode(error.code) ? exitCodeOf(fault(error.code, error.message)) : EXIT.no);
    }
    const schedule = result.data as Schedule;
    if (options.json === true) printJson(schedule);
    else print(`scheduled ${schedule.id}, next at ${schedule.next}`);
    return right(done);
  });

const call =
  (action: string, json: string | undefined, options: Options): TaskEither<Fault, ExitCode> =>
  async () => {
    const address = addressOf(action, options.agent);
    if (isLeft(address)) return address;
    const body = await payload(json);
    if (isLeft(body)) return body;
    const sent = { address: address.right, body: body.right };
    if (!isScheduled(options)) {
      return callNow(options, { ...sent, subject: callSubject(address.right) })();
    }
    const when = whenOf(options);
    if (isLeft(when)) return when;
    return callLater(options, { ...sent, subject: scheduleSubject(address.right), when: when.right })();
  };

export const addCall = (program: Command): void => {
  const command = withTargetOptions(
    program
      .command('call')
      .argument('<module.action>', 'the action, as MODULE.ACTION or MODULE.ACTION.AGENT')
      .argument('[payload]', 'JSON, or - to read it from standard input (default: {})')
      .description('call an action and print its result')
      .option('--agent <id>', 'the agent to call')
      .addOption(
        withDefault('--timeout <duration>', 'how long to wait for the result', waiting('--timeout'), '30s'),
      )
      .option('--at <time>', 'send the command at this RFC 3339 time; do not wait for its result')
      .option('--in <duration>', 'send the command after this duration')
      .option('--every <duration>', 'send the command repeatedly; whole seconds')
      .option(
        '--cron <expression>',
        'send the command at the times of a cron expression: minute hour day month weekday, or @daily',
      )
      .option('--timezone <name>', 'time zone of --cron (default: UTC)')
      .addOption(
        oneOf(
          '--priority <level>',
          'urgent is handled before waiting commands of other agents (default: normal)',
          PRIORITIES,
        ),
      )
      .option(
        '--key <key>',
        'your name for the command: within 24 hours, calls with the same key are one command',
        parseKeyOption,
      ),
  ).action((action: string, json: string | undefined, options: Options) =>
    runCommand(call(action, json, options)),
  );
  withExamples(command, [
    'tallystick call accounts.deposit \'{"amount":5}\' --agent alice',
    'tallystick call accounts.transfer \'{"to":"bob","amount":2}\' --agent alice --timeout 5s',
    'tallystick call accounts.deposit \'{"amount":5}\' --agent alice --in 10m',
    'tallystick call accounts.deposit \'{"amount":5}\' --agent alice --cron "0 9 * * mon-fri" --timezone Europe/Berlin',
    'tallystick call orders.settle --agent order-7 --priority urgent',
    'tallystick call accounts.deposit \'{"amount":5}\' --agent alice --key payment-17',
    'echo \'{"amount":5}\' | tallystick call accounts.deposit.alice - --json',
  ]);
};

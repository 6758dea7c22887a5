import type { Command } from 'commander';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { type Fault, fault } from '../../schemas/errors.js';
import { parseDuration } from '../../schemas/quantity.js';
import type { Result } from '../../schemas/result.js';
import { type Address, callSubject, parseAddress } from '../../schemas/subjects.js';
import { withConnection, withTargetOptions } from '../connect.js';
import { EXIT, type ExitCode } from '../exit.js';
import { printError, printJson } from '../output.js';
import { silenceOf } from '../requests.js';
import { done, orUsage, run, withExamples } from '../run.js';
import type { TargetOptions } from '../target.js';

interface Options extends TargetOptions {
  readonly json?: boolean;
  readonly agent?: string;
  readonly timeout: number;
}

const readStdin = async (): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
};

/** The payload as it was written, once it is known to be JSON: parsing and writing it anew would change large numbers. */
const payload = async (json: string | undefined): Promise<Either<Fault, string>> => {
  const text = json === undefined ? '{}' : json === '-' ? await readStdin() : json;
  try {
    JSON.parse(text);
    return right(text);
  } catch (error) {
    return left(fault('USAGE', `the payload is not JSON and was not sent: ${(error as Error).message}`));
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

const pending = ({ module, agent }: Address, timeoutMs: number): Fault => {
  const whose = agent === undefined ? `--module ${module}` : `--module ${module} --agent ${agent}`;
  const look = `tallystick replay history ${whose} --from ${Math.ceil(timeoutMs / 1000) + 60}s`;
  return fault(
    'RESULT_PENDING',
    `no answer within ${timeoutMs} ms; the command may be recorded and still be handled: ${look}`,
  );
};

const send = async (
  nc: NatsConnection,
  address: Address,
  body: string,
  timeoutMs: number,
): Promise<Either<Fault, Result>> => {
  try {
    const reply = await nc.request(callSubject(address), body, { timeout: timeoutMs });
    const value = reply.json<Partial<Result> | null>();
    return typeof value?.status === 'string'
      ? right(value as Result)
      : left(fault('INTERNAL', `the reply is no result: ${reply.string().slice(0, 200)}`));
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return left(fault('INTERNAL', 'the reply is not JSON'));
    switch (silenceOf(thrown)) {
      case 'timeout':
        return left(pending(address, timeoutMs));
      case 'nobody':
        return left(
          fault(
            'BROKER_UNREACHABLE',
            `a NATS server answers at ${nc.getServer()}, but no broker takes calls there`,
          ),
        );
      case 'forbidden':
        return left(fault('SERVER_REFUSED', `${nc.getServer()} does not allow that call to this credential`));
      case 'lost':
        return left(
          fault('LOG_UNCERTAIN', 'the connection was lost while the call was under way; it may be recorded'),
        );
    }
  }
};

const call =
  (action: string, json: string | undefined, options: Options): TaskEither<Fault, ExitCode> =>
  async () => {
    const address = addressOf(action, options.agent);
    if (isLeft(address)) return address;
    const body = await payload(json);
    if (isLeft(body)) return body;
    return withConnection(options, (nc) => async () => {
      const result = await send(nc, address.right, body.right, options.timeout);
      if (isLeft(result)) return result;
      printJson(result.right, options.json !== true);
      if (result.right.status === 'ok') return right(done);
      printError(result.right.error, options.json === true);
      return right(EXIT.no);
    })();
  };

export const addCall = (program: Command): void => {
  const command = withTargetOptions(
    program
      .command('call <module.action> [payload]')
      .description(
        'call an action and print its result; the payload is JSON, `-` for stdin, {} when left out',
      )
      .option('--agent <id>', 'the agent that is called')
      .option(
        '--timeout <duration>',
        'how long to wait for the result',
        (text) => orUsage('--timeout', parseDuration(text)),
        30_000,
      ),
  ).action((action: string, json: string | undefined, options: Options) => run(call(action, json, options)));
  withExamples(command, [
    'tallystick call accounts.deposit \'{"amount":5}\' --agent alice',
    'tallystick call accounts.transfer \'{"to":"bob","amount":2}\' --agent alice --timeout 5s',
    'echo \'{"amount":5}\' | tallystick call accounts.deposit.alice - --json',
  ]);
};

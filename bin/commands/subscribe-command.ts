import type { Command } from 'commander';
import { isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { COMMAND_WORDS } from '../../link/target-words.js';
import { ask } from '../../link/request-broker.js';
import type { TargetOptions } from '../../link/target.js';
import { EventFeed } from '../../modules/client/event-feed.js';
import { subscriptionRoute } from '../../modules/client/subscribe.js';
import type { DeliveredEvent } from '../../schemas/delivered-event.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEARD_PATTERN } from '../../schemas/heard-events.js';
import { parseSequence } from '../../schemas/identity.js';
import { Masks } from '../../schemas/masks.js';
import { OPS } from '../../schemas/operate.js';
import { writeJson } from '../../schemas/write-json.js';
import { withConnection, withTargetOptions } from '../connect/connect.js';
import { type RevealOptions, withReveal } from '../connect/known-masks.js';
import { name, positive } from '../options/option-values.js';
import type { ExitCode } from '../output/exit.js';
import { printNote, printWritten } from '../output/output.js';
import { done, orUsage, runCommand, withExamples } from '../output/run-command.js';
import { faultThrown } from '../output/thrown-fault.js';

interface Options extends TargetOptions, RevealOptions {
  readonly durable: string;
  readonly agent?: string;
  readonly from?: 'now' | 'start' | number;
  readonly limit?: number;
  readonly json?: boolean;
}

const HEARD = new RegExp(HEARD_PATTERN);

const eventsArgument = (text: string, before: readonly string[] = []): readonly string[] => {
  const problem = fault('USAGE', `${JSON.stringify(text)} is not MODULE.EVENT, or 'MODULE.>' for all events`);
  return [...before, orUsage('EVENTS', HEARD.test(text) ? right(text) : left(problem))];
};

const beginning = (text: string): 'now' | 'start' | number => {
  if (text === 'now' || text === 'start') return text;
  const seq = parseSequence(text);
  const problem = fault('USAGE', `${JSON.stringify(text)} is not now, start or a sequence`);
  return orUsage('--from', seq === undefined ? left(problem) : right(seq));
};

const lineOf = (delivered: DeliveredEvent, json: boolean): string => {
  if (json) return writeJson(delivered);
  const { event, agent, seq, time, data } = delivered;
  const shown = data === undefined ? '(too large for a message)' : writeJson(data);
  return [seq, time, event, ...(agent === null ? [] : [agent]), shown].join(' ');
};

const unknownText = (unknown: readonly string[]): string =>
  `no module emits ${unknown.join(', ')} now; \`tallystick module list\` has the modules`;

/** With `--reveal`, an operator sees all, and the broker records that first. */
const revealed = async (nc: NatsConnection, what: string): Promise<Fault | undefined> => {
  const said = await ask<object>(nc, OPS.sensitive, { reveal: true, what })();
  return isLeft(said) ? said.left : undefined;
};

/** Prints each event, and acknowledges it when it is written. */
const follow = async (feed: EventFeed, { json = false, limit, reveal = false }: Options): Promise<void> => {
  const { sensitive = {}, unknown = [] } = await feed.opened;
  if (unknown.length > 0) printNote(unknownText(unknown), json, { unknown });
  const masks = new Masks(reveal ? {} : sensitive, reveal);
  for (let count = 1; ; count += 1) {
    const found = await feed.next();
    if (found === undefined) return;
    const [module = '', event = ''] = found.event.split('.');
    await printWritten(lineOf({ ...found, data: masks.event(module, event, found.data) }, json));
    feed.handled(found.seq);
    if (count === limit) return;
  }
};

const subscribe = (events: readonly string[], options: Options): TaskEither<Fault, ExitCode> =>
  withConnection(options, (nc) => async () => {
    const { durable, agent, from } = options;
    const problem = options.reveal === true ? await revealed(nc, `subscribe ${durable}`) : undefined;
    if (problem !== undefined) return left(problem);
    const open = {
      events: [...new Set(events)],
      ...(agent === undefined ? {} : { agent }),
      ...(from === undefined ? {} : { from }),
    };
    const feed = new EventFeed(subscriptionRoute(nc, COMMAND_WORDS), {
      name: durable,
      open,
      ack: 'explicit',
    });
    // What is printed is acknowledged before the process ends.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void feed.close());
    try {
      await follow(feed, options);
      return right(done);
    } catch (thrown) {
      return left(faultThrown(thrown));
    } finally {
      await feed.close();
    }
  });

export const addSubscribe = (program: Command): void => {
  const command = withReveal(
    withTargetOptions(
      program
        .command('subscribe')
        .argument('<module.event...>', "the events; 'MODULE.>' for all events of a module", eventsArgument)
        .description(
          'print events as they come, until Ctrl-C; the next run with the same name continues where this one ended',
        )
        .requiredOption(
          '--durable <name>',
          'name under which the broker keeps how far you have come',
          name('--durable'),
        )
        .option('--from <place>', 'first event of a new name: now (default), start, or a sequence', beginning)
        .option('--agent <name>', 'only events of this agent', name('--agent'))
        .option('--limit <count>', 'end after so many events', positive('--limit')),
    ),
  ).action((events: readonly string[], options: Options) => runCommand(subscribe(events, options)));
  withExamples(command, [
    'tallystick subscribe accounts.deposited --durable mailer',
    "tallystick subscribe 'accounts.>' --durable books --from start --json",
    'tallystick subscribe accounts.deposited --durable alice --agent alice --limit 1',
  ]);
};

import { fault } from '../../schemas/errors.js';
import { rejectedWith } from '../../modules/client/module-calls.js';
import { splitSubject } from '../../schemas/subjects.js';
import type { MemoryBroker } from './memory-broker.js';
import { endsWithin } from './time-limit.js';

const NAMED = 3;
/** Fewer steps within the limit mean that the machine is busy, and not that they have no end. */
const MOST_STEPS = 20_000;

/** A command as the author of a test knows it. */
const described = ({ log }: MemoryBroker, seq: number): string => {
  const subject = splitSubject(log.records[seq - 1]?.subject ?? '');
  if (subject?.kind !== 'cmd') return `command ${seq}`;
  const { module, name, agent } = subject;
  return `${module}.${name}${agent === undefined ? '' : ` of agent ${agent}`} (command ${seq})`;
};

const pending = (message: string): Error => rejectedWith(fault('OPERATION_PENDING', message));

const unended = (broker: MemoryBroker, commands: readonly number[], timeoutMs: number): Error => {
  const named = commands.slice(0, NAMED).map((seq) => described(broker, seq));
  const more = commands.length > NAMED ? ` and ${commands.length - NAMED} more` : '';
  const handlers = commands.length === 1 ? 'this handler has' : 'these handlers have';
  return pending(
    `after ${timeoutMs} ms ${handlers} not ended: ${named.join(', ')}${more}. End what they wait for, or move the clock past the \`deadlineMs\` of the action. To wait longer, set \`idleTimeoutMs\``,
  );
};

/** Resolves when nothing happens any more by itself. OPERATION_PENDING if commands follow each other without an end. */
export const settled = async (broker: MemoryBroker, timeoutMs: number): Promise<void> => {
  const { turns, log } = broker;
  const before = turns.steps;
  const quiet = turns.quiet();
  while (!(await endsWithin(timeoutMs, quiet))) {
    if (turns.steps - before < MOST_STEPS) continue;
    const last = log.records.findLast(({ subject }) => subject.startsWith('cmd.'));
    throw pending(
      `after ${timeoutMs} ms commands still follow each other: the log has ${log.records.length} records, and the last command is ${described(broker, last?.seq ?? 0)}. To wait longer, set \`idleTimeoutMs\``,
    );
  }
};

/** Resolves when nothing is left to do before the clock moves. OPERATION_PENDING names the handlers that do not end. */
export const idle = async (broker: MemoryBroker, timeoutMs: number): Promise<void> => {
  const { turns, running } = broker;
  const startMs = performance.now();
  for (;;) {
    await settled(broker, timeoutMs);
    const { outside } = running;
    if (outside.length === 0) return;
    const leftMs = startMs + timeoutMs - performance.now();
    if (leftMs <= 0 || !(await endsWithin(leftMs, turns.activity())))
      throw unended(broker, outside, timeoutMs);
  }
};

import { type Colour, inColour } from '../../text/colour.js';
import { clip, printable } from '../../text/printable.js';
import { plural } from '../../text/numbers.js';
import { writeJson } from '../../schemas/write-json.js';
import type { DevEvent, SeenCall, TypeProblem } from './dev-event.js';
import type { Terminal } from '../output/terminal.js';

/** Characters of a payload or of an error that a line shows. `--json` prints all. */
const SHOWN = 72;

const clock = (date: Date): string => date.toTimeString().slice(0, 8);

const indented = (text: string): string =>
  text
    .split('\n')
    .map((line) => `  ${printable(line)}`)
    .join('\n');

const outcome = ({ status, output, error }: SeenCall, colour: boolean): string => {
  if (error === undefined) return inColour(colour, 'green', clip(printable(writeJson(output)), SHOWN));
  const text = clip(printable(error.message.replaceAll('\n', ' ')), SHOWN);
  return `${inColour(colour, status === 'rejected' ? 'yellow' : 'red', error.code)} ${text}`;
};

/** Clients on this machine are the guest or the operator. Another sender is a module, and worth a word. */
const from = ({ sender }: SeenCall): string =>
  sender === null || sender === 'guest' || sender === 'operator' ? '' : ` (from ${printable(sender)})`;

const callText = (call: SeenCall, colour: boolean): string => {
  const { module, action, agent, input, ms } = call;
  const what = inColour(colour, 'cyan', printable(`${module}.${action}`));
  const whom = agent === null ? '' : ` ${printable(agent)}`;
  const payload = clip(printable(writeJson(input)), SHOWN);
  return `${what}${whom} ${payload} → ${outcome(call, colour)} ${ms} ms${from(call)}`;
};

const problemText = ({ file, line, column, code, message }: TypeProblem): string =>
  indented(`${file}:${line}:${column}: ${code}: ${message}`);

const continuation = ({ module, continues }: Extract<DevEvent, { event: 'broken' | 'gone' }>): string =>
  continues ? `${module ?? 'the module'} continues with its last good code` : 'no code of it runs';

const readyText = ({
  nats,
  dataDir,
  durability,
  modules,
  sources,
}: Extract<DevEvent, { event: 'ready' }>): string => {
  const running = modules
    .filter(({ state }) => state === 'loaded')
    .map(({ name, version }) => `${name} ${version}`);
  return [
    `Tallystick is ready at ${nats}`,
    `  data      ${printable(dataDir)} (durability ${durability})`,
    `  modules   ${running.length === 0 ? 'none' : printable(running.join(', '))}`,
    `  watching  ${sources.length === 0 ? 'no source yet' : printable(sources.join(', '))}`,
    'Save a file, and the module runs the new code. Ctrl-C ends all.',
  ].join('\n');
};

const body = (event: DevEvent, colour: boolean): string => {
  const shade = (name: Colour, text: string): string => inColour(colour, name, text);
  switch (event.event) {
    case 'ready':
      return readyText(event);
    case 'loaded':
    case 'reloaded':
      return shade('bold', `${event.event} ${printable(event.module)} in ${event.ms} ms`);
    case 'broken':
      return [
        `${shade('boldRed', `${printable(event.source)} is broken`)}: ${printable(continuation(event))}`,
        indented(`${event.error.code}: ${event.error.message}`),
      ].join('\n');
    case 'unchanged':
      return `${printable(event.source)} is good again: the code is the same as before`;
    case 'gone':
      return `${printable(event.source)} is gone: ${printable(continuation(event))}`;
    case 'note':
      return printable(event.text);
    case 'types':
      return event.problems.length === 0
        ? 'the types are good'
        : [
            shade('boldRed', `${plural(event.problems.length, 'type error')}`),
            ...event.problems.map(problemText),
          ].join('\n');
    case 'output':
      return `${shade('magenta', printable(event.module))} | ${printable(event.text)}`;
    case 'broker':
      return shade('dim', `[${printable(event.part)}] ${printable(event.text)}`);
    case 'call':
      return callText(event, colour);
  }
};

/** An event as a person reads it: the time, and one line, or more for an error with its place. */
export const devText = (event: DevEvent, { colour }: Pick<Terminal, 'colour'>, now = new Date()): string => {
  const time = event.event === 'call' ? new Date(event.time) : now;
  return `${inColour(colour, 'dim', clock(time))} ${body(event, colour)}`;
};

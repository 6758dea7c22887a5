import type { Argument, Command, Option } from 'commander';

/** A word that the shell may put at the cursor. */
export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** Names that the command tree does not have. */
export type Names = 'modules' | 'actions' | 'agents' | 'keys' | 'contexts' | 'subscriptions';

/** What can stand at the cursor. */
export interface Wanted {
  readonly candidates: readonly Candidate[];
  /** The shell lists these itself. */
  readonly paths?: 'files' | 'dirs';
  /** The broker has these. Agents, and keys of a configuration, are those of `module`. */
  readonly names?: Names;
  readonly module?: string;
  /** The words before the cursor that name a broker: `--data`, `--server`, `--creds`. */
  readonly target: Readonly<Record<string, string>>;
}

interface Typed {
  readonly command: Command;
  /** The words that are neither commands nor options. */
  readonly operands: readonly string[];
  readonly values: ReadonlyMap<string, string>;
  /** The option whose value stands at the cursor. */
  readonly pending: Option | undefined;
}

const takesValue = (option: Option): boolean => option.required || option.optional;

const optionOf = (command: Command, word: string): Option | undefined =>
  command.options.find(({ long, short }) => word === long || word === short);

/** Reads the words before the cursor as commander would. Bash makes three words of `--kind=cmd`: drop the `=`. */
const typedIn = (program: Command, words: readonly string[]): Typed => {
  let command = program;
  let pending: Option | undefined;
  let endsOptions = false;
  const operands: string[] = [];
  const values = new Map<string, string>();
  for (const word of words) {
    if (word === '=') continue;
    if (pending !== undefined) {
      values.set(pending.attributeName(), word);
      pending = undefined;
    } else if (word === '--' && !endsOptions) endsOptions = true;
    else if (word.startsWith('-') && !endsOptions) {
      const [flag = '', value] = word.split(/=(.*)/s);
      const option = optionOf(command, flag);
      if (option === undefined || !takesValue(option)) continue;
      if (value === undefined) pending = option;
      else values.set(option.attributeName(), value);
    } else {
      const below = operands.length > 0 ? undefined : command.commands.find((one) => one.name() === word);
      if (below === undefined) operands.push(word);
      else command = below;
    }
  }
  return { command, operands, values, pending };
};

/** What an option or argument takes, by the word in its `<…>`. */
const PATHS: Readonly<Record<string, 'files' | 'dirs'>> = { dir: 'dirs', file: 'files', path: 'files' };

const namesFor = (command: Command, placeholder: string, option?: Option): Names | undefined => {
  if (placeholder === 'module.action') return 'actions';
  if (placeholder === 'module' || placeholder === 'module[=port]') return 'modules';
  if (placeholder === 'name' && option === undefined && command.parent?.name() === 'subscription')
    return 'subscriptions';
  if (placeholder === 'key' && option === undefined) return 'keys';
  if (placeholder === 'agent' || option?.long === '--agent') return 'agents';
  const isStored = command.parent?.name() === 'connect' && command.name() !== 'add';
  if (option?.long === '--context' || (placeholder === 'name' && isStored)) return 'contexts';
  const isModule = option === undefined ? command.parent?.name() === 'module' : option.long === '--module';
  return placeholder === 'name' && isModule ? 'modules' : undefined;
};

const placeholderOf = ({ flags }: Option): string => /[<[](.+?)(?:\.\.\.)?[>\]]$/.exec(flags)?.[1] ?? '';

/** The module whose agents may follow: named by `--module`, or by the first operand. */
const moduleOf = ({ command, operands, values }: Typed): string | undefined => {
  const first = command.registeredArguments[0]?.name();
  if (first === 'module' || first === 'module.action') return operands[0]?.split('.')[0];
  return values.get('module');
};

const choicesOf = ({ argChoices = [] }: Option | Argument): readonly Candidate[] =>
  argChoices.map((value) => ({ value, description: '' }));

/** The value of an option, or an operand. */
const valueFor = (typed: Typed, place: Option | Argument, placeholder: string, option?: Option) => {
  const paths = PATHS[placeholder];
  const names = namesFor(typed.command, placeholder, option);
  const module = moduleOf(typed);
  return {
    candidates: choicesOf(place),
    ...(paths === undefined ? {} : { paths }),
    ...(names === undefined ? {} : { names }),
    ...(module === undefined ? {} : { module }),
  };
};

const optionsOf = (command: Command): readonly Candidate[] =>
  command
    .createHelp()
    .visibleOptions(command)
    .map(({ long, short, description }) => ({ value: long ?? short ?? '', description }));

const subcommandsOf = (command: Command): readonly Candidate[] =>
  command
    .createHelp()
    .visibleCommands(command)
    .map((one) => ({ value: one.name(), description: one.description() }));

const operandFor = (typed: Typed): Omit<Wanted, 'target'> => {
  const { command, operands } = typed;
  if (command.commands.length > 0) return { candidates: operands.length > 0 ? [] : subcommandsOf(command) };
  const all = command.registeredArguments;
  const last = all.at(-1);
  const argument = all[operands.length] ?? (last?.variadic === true ? last : undefined);
  return argument === undefined ? { candidates: [] } : valueFor(typed, argument, argument.name());
};

const TARGET = ['data', 'server', 'creds'];

/** What can stand in the place of the last word. `words` are those after the name of the program. */
export const wantedAt = (program: Command, words: readonly string[]): Wanted => {
  const typed = typedIn(program, words.slice(0, -1));
  const { command, values, pending } = typed;
  const word = words.at(-1) ?? '';
  const target = Object.fromEntries([...values].filter(([name]) => TARGET.includes(name)));
  if (pending !== undefined) return { ...valueFor(typed, pending, placeholderOf(pending), pending), target };
  const isOption = word.startsWith('-') && !words.slice(0, -1).includes('--');
  return { ...(isOption ? { candidates: optionsOf(command) } : operandFor(typed)), target };
};

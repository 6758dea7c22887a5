import { INVALID_PART, partOrInvalid } from '../../schemas/names.js';
import type { SenderKey } from './command-keys.js';
import { OverlayRow } from './overlay.js';

/** A command that has no result yet. */
export interface OpenCommand {
  readonly seq: number;
  /** Module, action and agent as the subject has them, which may be no names. */
  readonly module: string;
  readonly name: string;
  readonly agent?: string;
  readonly sender: string;
  readonly conversation: number;
  /** Where it stands among the calls of the handler that made it. */
  readonly calledBy: { readonly cause: number; readonly call: number } | null;
  /** The key that its sender gave it. */
  readonly keyed: SenderKey | null;
  /** Sequence of the record that cancels it; 0: none. */
  readonly cancel: number;
  /** Its handler has met the cancel. */
  readonly isCancelMet: boolean;
  /** The command that it restarts; 0: none. */
  readonly before: number;
}

/** The row of an open command. */
export class CommandRow extends OverlayRow implements OpenCommand {
  readonly agent?: string;

  constructor(
    readonly seq: number,
    readonly module: string,
    readonly name: string,
    agent: string | undefined,
    readonly sender: string,
    readonly conversation: number,
    readonly calledBy: OpenCommand['calledBy'],
    readonly keyed: OpenCommand['keyed'],
    /** Its handler has made calls. */
    public hasCalls: boolean,
    public cancel: number,
    public isCancelMet: boolean,
    public before: number,
  ) {
    super();
    if (agent !== undefined) this.agent = agent;
  }

  toText(): string {
    const { calledBy } = this;
    return JSON.stringify([
      this.module,
      this.name,
      this.agent ?? null,
      this.conversation,
      calledBy?.cause ?? 0,
      calledBy?.call ?? 0,
      this.hasCalls,
      this.sender,
      this.keyed?.key ?? '',
      this.cancel,
      this.isCancelMet,
      this.before,
    ] satisfies CommandText);
  }
}

type CommandText = readonly [
  module: string,
  name: string,
  agent: string | null,
  conversation: number,
  cause: number,
  call: number,
  hasCalls: boolean,
  sender: string,
  key: string,
  cancel: number,
  isCancelMet: boolean,
  before: number,
];

/** The row of an open command, as its text in the files says. */
export const rowOf = (seq: number, text: string): CommandRow => {
  const [module, name, agent, conversation, cause, call, hasCalls, sender, key, cancel, isCancelMet, before] =
    JSON.parse(text) as CommandText;
  const calledBy = cause === 0 ? null : { cause, call };
  const keyed = key === '' ? null : { sender, key };
  const row = new CommandRow(
    seq,
    module,
    name,
    agent ?? undefined,
    sender,
    conversation,
    calledBy,
    keyed,
    hasCalls,
    cancel,
    isCancelMet,
    before,
  );
  row.isKept = true;
  return row;
};

/** Under which name the commands of a module wait: a part that is no name goes with all others that are none. */
export const waitsAs = ({ module }: OpenCommand): string => partOrInvalid(module);

/** Whether the command waits for the module, which is as {@link waitsAs} names it. */
export const isOf = (row: CommandRow, module: string): boolean =>
  row.module === module || (module === INVALID_PART && waitsAs(row) === module);

/** How many more are open by this row than by what the files have. */
export const moreOf = ({ isThere, isKept }: CommandRow): number => Number(isThere) - Number(isKept);

import Type, { type Static } from 'typebox';

/** The lines that a broker and its modules print, and how `tallystick logs` reads them. They are no records. */

/** From the least to the most important. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const isAtLeast = (level: LogLevel, least: LogLevel): boolean =>
  LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(least);

const Sequence = Type.Integer({ minimum: 1 });
const About = {
  level: Type.Enum([...LOG_LEVELS]),
  module: Type.Optional(
    Type.String({ description: 'The module that printed the line, or that it is about.' }),
  ),
  seq: Type.Optional(
    Type.Integer({ minimum: 1, description: 'Sequence of the command that the line is about.' }),
  ),
  conversation: Type.Optional(
    Type.Integer({ minimum: 1, description: 'Sequence of the first record of its conversation.' }),
  ),
  agent: Type.Optional(Type.String({ description: 'The agent of that command.' })),
};

/** What a line is about, as far as its writer knows. Without a level it is `info`. */
export const LineAboutSchema = Type.Partial(Type.Object(About));
export type LineAbout = Readonly<Static<typeof LineAboutSchema>>;

export const LogLineSchema = Type.Object(
  {
    n: Type.Integer({ minimum: 1, description: 'Its number among all lines of this data directory.' }),
    k: Type.Integer({ minimum: 1, description: 'Its number among the lines of its writer.' }),
    time: Type.String({ description: 'When it was printed, RFC 3339.' }),
    source: Type.String({ description: 'Who printed it: a module, or a part of the broker.' }),
    ...About,
    msg: Type.String({ description: 'The text. A module may print anything; it can have several lines.' }),
  },
  { description: 'A line that the broker or a module printed.' },
);
export type LogLine = Readonly<Static<typeof LogLineSchema>>;

/** A line as it is printed: it has no number yet. */
export type PrintedLine = Omit<LogLine, 'n' | 'k'>;

/** The most lines of one reply to `ops.logs`. */
export const MAX_LINES_PAGE = 500;

export const LinesRequestSchema = Type.Object(
  {
    module: Type.Optional(Type.String({ maxLength: 64, description: 'Only lines of or about this module.' })),
    level: Type.Optional(Type.Enum([...LOG_LEVELS], { description: 'Only of this level, or above it.' })),
    since: Type.Optional(Type.String({ maxLength: 64, description: 'Only from this time on, RFC 3339.' })),
    after: Type.Optional(
      Type.Integer({ minimum: 0, description: 'The lines after this number, the oldest first.' }),
    ),
    before: Type.Optional(Sequence),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_LINES_PAGE })),
  },
  { additionalProperties: false },
);
export type LinesRequest = Readonly<Static<typeof LinesRequestSchema>>;

/** What the files have of one writer: the broker itself, or a module. */
export interface KeptOfWriter {
  /** `null`: the broker. */
  readonly module: string | null;
  /** So many of its oldest lines are not kept any more. */
  readonly gone: number;
  /** So many lines it has printed. */
  readonly end: number;
}

/** Reply to `ops.logs`. */
export interface LinesPage {
  /** In the order in which they were printed. */
  readonly lines: readonly LogLine[];
  /** Where to ask next: `after` or `before`, as asked; null: there are no older ones. */
  readonly next: number | null;
  /** The number of the newest line of all. */
  readonly end: number;
  /** Whether the page reaches it. */
  readonly isEnd: boolean;
  readonly kept: readonly KeptOfWriter[];
}

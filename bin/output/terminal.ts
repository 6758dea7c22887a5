import { wantsColour } from '../../text/colour.js';

/** How to write for the reader of the output. */
export interface Terminal {
  /** Width to cut lines to; undefined in a pipe, where lines stay whole. */
  readonly columns: number | undefined;
  readonly colour: boolean;
}

/** `COLUMNS`, for terminals that tell Node no width or another one than you want. */
const widthSet = (text: string | undefined): number | undefined =>
  text !== undefined && /^[1-9]\d{0,4}$/.test(text) ? Number(text) : undefined;

export const terminal = (
  stream: Pick<NodeJS.WriteStream, 'isTTY' | 'columns'> = process.stdout,
  env: NodeJS.ProcessEnv = process.env,
): Terminal => ({
  columns: stream.isTTY ? (widthSet(env.COLUMNS) ?? stream.columns) : undefined,
  colour: wantsColour(stream.isTTY, env),
});

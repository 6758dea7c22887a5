import { wantsColour } from '../../text/colour.js';

/** How to write for the reader of the output. */
export interface Terminal {
  /** Width to cut lines to; undefined in a pipe, where lines stay whole. */
  readonly columns: number | undefined;
  readonly colour: boolean;
}

export const terminal = (
  stream: Pick<NodeJS.WriteStream, 'isTTY' | 'columns'> = process.stdout,
  env: NodeJS.ProcessEnv = process.env,
): Terminal => ({
  columns: stream.isTTY ? stream.columns : undefined,
  colour: wantsColour(stream.isTTY, env),
});

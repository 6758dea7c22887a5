import { wantsColour } from '../../text/colour.js';

/** How to write for whoever reads it. */
export interface Terminal {
  /** Width to cut lines to; undefined in a pipe, where nothing is ever cut. */
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

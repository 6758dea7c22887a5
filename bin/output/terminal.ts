/** How to write for whoever reads it. */
export interface Terminal {
  /** Width to cut lines to; undefined in a pipe, where nothing is ever cut. */
  readonly columns: number | undefined;
  readonly colour: boolean;
}

const isSet = (value: string | undefined): boolean => value !== undefined && value !== '';

/** `FORCE_COLOR`, unless it is 0, is for pipes that end on a screen (`| less -R`); `NO_COLOR` is for screens without. */
const wantsColour = (isTty: boolean, { FORCE_COLOR, NO_COLOR, TERM }: NodeJS.ProcessEnv): boolean => {
  if (isSet(FORCE_COLOR)) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  return isTty && !isSet(NO_COLOR) && TERM !== 'dumb';
};

export const terminal = (
  stream: Pick<NodeJS.WriteStream, 'isTTY' | 'columns'> = process.stdout,
  env: NodeJS.ProcessEnv = process.env,
): Terminal => ({
  columns: stream.isTTY ? stream.columns : undefined,
  colour: wantsColour(stream.isTTY, env),
});

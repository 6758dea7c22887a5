import { statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import type { BrokerLog } from '../../system/lines/broker-log.js';

const PROGRAM = 'tallystick';
const BY_NPX = `npx ${PROGRAM}`;

/** A text shows a command if one of these words follows the name. The type of the command tree holds them together. */
export const COMMAND_NAMES = [
  'start',
  'dev',
  'doctor',
  'env',
  'connect',
  'status',
  'asyncapi',
  'top',
  'call',
  'result',
  'cancel',
  'restart',
  'signal',
  'promise',
  'subscribe',
  'subscription',
  'agent',
  'conversation',
  'wait',
  'module',
  'config',
  'token',
  'dead',
  'schedule',
  'logs',
  'audit',
  'bench',
  'burst',
  'replay',
  'completion',
] as const;
export type CommandName = (typeof COMMAND_NAMES)[number];

const SHOWN = new RegExp(`(?<![\\w/.-]|npx )${PROGRAM}(?= (?:${COMMAND_NAMES.join('|')})\\b)`, 'g');

/** npm, pnpm and yarn put this folder of a project onto the PATH of what they run, but not onto yours. */
const OF_PROJECT = /node_modules[\\/]\.bin[\\/]?$/;

const isFile = (path: string): boolean => {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
};

/**
 * What you type to run this program. It is `npx tallystick` if npx runs it, or if your PATH does not have it: a
 * project has it in its `node_modules`, and npx finds it there. Otherwise it is `tallystick`.
 */
export const typedProgram = (env: NodeJS.ProcessEnv = process.env): string => {
  if (env.npm_command === 'exec') return BY_NPX;
  const isByManager = env.npm_execpath !== undefined || env.npm_config_user_agent !== undefined;
  const yours = (env.PATH ?? '')
    .split(delimiter)
    .filter((dir) => isAbsolute(dir) && !(isByManager && OF_PROJECT.test(dir)));
  return yours.some((dir) => isFile(join(dir, PROGRAM))) ? PROGRAM : BY_NPX;
};

let known: string | undefined;
const knownProgram = (): string => {
  known ??= typedProgram();
  return known;
};

/**
 * A text for a person, with the commands of this program as the person types them. Texts in the code say
 * `tallystick status`. JSON is for programs and stays as it is.
 */
export const asTyped = (text: string, program: () => string = knownProgram): string =>
  text.replace(SHOWN, () => program());

/** The broker's output in the same form. */
export const typedLog = (log: BrokerLog): BrokerLog => ({
  line: (source, text, about) => log.line(source, asTyped(text), about),
});

import type { Command } from 'commander';
import { EXIT, type ExitCode } from './exit.js';

/** What the exit codes 0 and 1 of a command mean. */
interface Meanings {
  readonly yes: string;
  readonly no: string;
}

const FAILED = 'the command failed';
const REFUSED = 'the broker refused the request';

const done = (yes: string, no = REFUSED): Meanings => ({ yes, no });

/** By the words of the command. Its help and the reference print them, and a test asks for each command. */
const MEANINGS: Readonly<Record<string, Meanings>> = {
  start: done('a signal stopped the broker', 'the broker could not start or continue, or had two signals'),
  dev: done('a signal stopped the broker', 'the broker could not start or continue, or had two signals'),
  doctor: done('no problem; there may be warnings', 'there is a problem'),
  env: done('the variables are printed', FAILED),
  'connect add': done('the context is stored', 'the context is not stored'),
  'connect list': done('the contexts are printed', FAILED),
  'connect use': done('the context is chosen', 'the context is not chosen'),
  'connect off': done('no context is chosen', FAILED),
  'connect remove': done('the context is removed', 'the context is not removed'),
  status: done('the broker replied'),
  asyncapi: done('the document is printed'),
  top: done('the looks that --times asks for are printed'),
  call: done('the result is ok, or the schedule is made', 'the result is not ok, or has not come in time'),
  result: done('the result is ok', 'the result is not ok, or has not come in time, or you may not see it'),
  restart: done(
    'the restart is stored, or was before',
    'the command cannot be restarted from there, or you may not restart it',
  ),
  cancel: done('the cancel is stored, or was before', 'the command has its result, or you may not cancel it'),
  signal: done('the signal is stored', 'the signal is not stored, or the broker refused it'),
  'promise resolve': done('the promise is resolved', 'no handler waits for it, or the broker refused it'),
  'promise reject': done('the promise is rejected', 'no handler waits for it, or the broker refused it'),
  subscribe: done(
    'a signal or --limit ended it',
    'another program uses the subscription, or the broker refused it',
  ),
  'subscription list': done('the subscriptions are printed; there may be none'),
  'subscription delete': done('the subscription is deleted', 'there is no such subscription'),
  'agent get': done('the state is printed', 'there is no such agent, or its state cannot be read'),
  'agent erase': done('the agent is erased, or was erased before', 'the agent is not erased'),
  'agent list': done('the page is printed', 'the agents cannot be read'),
  'config list': done('the configuration is printed'),
  'config get': done('the value is printed', 'the key has no value, or the broker refused the request'),
  'config set': done('the value is stored'),
  'config unset': done('the value is removed, or there was none'),
  'conversation get': done('the conversation is printed', 'it is not open, or it cannot be read'),
  'wait list': done('the page is printed', 'the waits cannot be read'),
  'conversation list': done('the page is printed', 'the conversations cannot be read'),
  'module list': done('the broker replied'),
  'module info': done('the broker replied', 'there is no such module'),
  'module stats': done('the broker replied', 'there is no such module'),
  'module load': done('the module is loaded', 'the module is not loaded, or not yet'),
  'module unload': done('the module is unloaded', 'the module is not unloaded, or not yet'),
  'module reload': done('the module runs the new code', 'the module does not run the new code, or not yet'),
  'module remove': done('the module is removed, or would be', 'the module is not removed'),
  'token create': done('the token is printed'),
  'token change': done('the grants are changed'),
  'token rotate': done('the new token is printed'),
  'token list': done('the principals are printed'),
  'token show': done('the principal is printed'),
  'token revoke': done('the token is revoked'),
  'dead list': done('the page is printed'),
  'dead show': done('the dead letter is printed', 'there is no such dead letter'),
  'dead redrive': done(
    'each command is stored again; with --wait, each result is ok',
    'a command was not stored again; with --wait, a result is not ok',
  ),
  'schedule list': done('the schedules are printed'),
  'schedule show': done('the schedule is printed', 'there is no such schedule'),
  'schedule cancel': done('the schedule is cancelled', 'there is no such schedule'),
  logs: done('the lines are printed; there may be none'),
  'audit list': done('the records are printed; there may be none'),
  bench: done('the figures are printed, whether they are met or not'),
  burst: done('each run is ok', 'a run is not ok: see its reasons'),
  'replay history': done('the records are printed; there may be none', FAILED),
  'replay trace': done('the conversation is printed', 'there is no such record, or the command failed'),
  'replay state': done(
    'the state is printed; --watch or --bisect found a record',
    '--watch or --bisect found nothing, or the state cannot be read',
  ),
  'replay verify': done('there is no finding', 'there is a finding, or the command failed'),
  'replay diff': done('all outcomes are the same', 'an outcome differs, or the command failed'),
  'replay run': done(
    'all results are the same, or the condition of --break is true',
    'a result differs, the condition is never true, or the command failed',
  ),
  'replay export': done('the file is complete', FAILED),
  'replay import': done('the log is complete, and matches the file', 'the file is not imported'),
  'replay rebuild': done(
    'the states are folded; with --check, all match',
    'the states are not folded; with --check, a state differs',
  ),
  completion: done('the script is printed', FAILED),
};

/** Codes that mean the same for every command. */
const SHARED = {
  [EXIT.usage]: 'wrong usage: correct the arguments',
  [EXIT.unreachable]: 'the broker, its server or its data directory cannot be reached',
} as const;

/** The exit codes of a command with their meanings; undefined for a word that is no command. */
export const exitMeanings = (words: string): readonly (readonly [ExitCode, string])[] | undefined => {
  const own = Object.hasOwn(MEANINGS, words) ? MEANINGS[words] : undefined;
  if (own === undefined) return undefined;
  return [
    [EXIT.done, own.yes],
    [EXIT.no, own.no],
    [EXIT.usage, SHARED[EXIT.usage]],
    [EXIT.unreachable, SHARED[EXIT.unreachable]],
  ];
};

const wordsOf = (command: Command): readonly string[] =>
  command.parent === null ? [] : [...wordsOf(command.parent), command.name()];

/** Adds the exit codes to the end of the help of each command that is no group. */
export const withExitCodes = (command: Command): void => {
  for (const one of command.commands) withExitCodes(one);
  const meanings = exitMeanings(wordsOf(command).join(' '));
  if (meanings === undefined) return;
  const lines = meanings.map(([code, meaning]) => `  ${code}  ${meaning}`);
  command.addHelpText('after', `\nExit codes:\n${lines.join('\n')}`);
};

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Reaper } from './reaper.js';

/** The questions to the programs of a benchmark, and their replies. */
export type Questions = Readonly<Record<string, { readonly ask: unknown; readonly answer: unknown }>>;

type Handlers<Q extends Questions> = {
  readonly [K in keyof Q]: (ask: Q[K]['ask']) => Promise<Q[K]['answer']> | Q[K]['answer'];
};

interface QuestionMessage {
  readonly question: string;
  readonly ask: unknown;
}

interface Response {
  readonly answer?: unknown;
  readonly error?: string;
}

/** Another process, which replies to one question after the other. */
export interface Program<Q extends Questions> extends AsyncDisposable {
  /** Rejects with the error of that process, or when it ends. One question at a time. */
  readonly ask: <K extends keyof Q & string>(question: K, ask: Q[K]['ask']) => Promise<Q[K]['answer']>;
}

/** Starts the program of a compiled file with `setting` as JSON. It ends with this process. */
export const startProgram = <Q extends Questions>(
  url: URL,
  setting: unknown,
  reaper: Reaper,
  execArgv: readonly string[] = [],
): Program<Q> => {
  const child = fork(fileURLToPath(url), [JSON.stringify(setting)], {
    execArgv: [...process.execArgv, ...execArgv],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  reaper.track(child);
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(`it ended with ${code ?? signal}`));
  });
  const ask = async (question: string, asked: unknown): Promise<unknown> => {
    const answered = new Promise<Response>((resolve, reject) => {
      child.once('message', (message) => resolve(message as Response));
      child.send({ question, ask: asked } satisfies QuestionMessage, (error) => {
        if (error !== null) reject(error);
      });
    });
    const gone = exited.then((error): Response => ({ error }));
    const { answer, error } = await Promise.race([answered, gone]);
    if (error !== undefined) throw new Error(`${question}: ${error}`);
    return answer;
  };
  return {
    ask: ask as Program<Q>['ask'],
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
};

/** The other side: replies to the process that started this one, until that is gone. */
export const answerQuestions = <Q extends Questions>(handlers: Handlers<Q>): void => {
  process.on('disconnect', () => process.exit(0));
  // Ctrl-C in a terminal reaches all processes; the one that started this one ends it.
  process.on('SIGINT', () => undefined);
  process.on('message', async ({ question, ask }: QuestionMessage) => {
    const reply = (response: Response): boolean | undefined => process.send?.(response);
    try {
      reply({ answer: await handlers[question]?.(ask) });
    } catch (error) {
      reply({ error: error instanceof Error ? error.message : String(error) });
    }
  });
};

/** The setting of the program's start. */
export const settingOf = <T>(): T => JSON.parse(process.argv[2] ?? 'null') as T;

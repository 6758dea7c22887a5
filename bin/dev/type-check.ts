import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants, setPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TypeProblem } from './dev-event.js';

const EVERYWHERE = /^error (TS\d+): (.*)$/;
const LINE = /^(.+)\((\d+),(\d+)\): error (TS\d+): (.*)$/;

/** The grammar of the language: a build finds these too. */
const SYNTAX = /^TS1\d{3}$/;
export const isSyntaxProblem = ({ code }: TypeProblem): boolean => SYNTAX.test(code);

/**
 * The problems in the output of `tsc --pretty false`. Lines that continue a message are indented. A problem without a
 * place is one of the settings.
 */
export const typeProblems = (output: string): readonly TypeProblem[] => {
  const problems: TypeProblem[] = [];
  for (const line of output.split(/\r?\n/)) {
    const [, file, at, column, code, message] = LINE.exec(line) ?? [];
    const [, setting, why] = EVERYWHERE.exec(line) ?? [];
    const last = problems.at(-1);
    if (file !== undefined && code !== undefined && message !== undefined)
      problems.push({ file, line: Number(at), column: Number(column), code, message });
    else if (setting !== undefined && why !== undefined)
      problems.push({ file: 'tsconfig.json', line: 1, column: 1, code: setting, message: why });
    else if (last !== undefined && /^\s+\S/.test(line))
      problems[problems.length - 1] = { ...last, message: `${last.message}\n${line}` };
  }
  return problems;
};

/** The compiler that a project has installed, and its settings; undefined if it lacks one of the two. */
const compilerOf = (cwd: string): { readonly tsc: string; readonly project: string } | undefined => {
  const project = join(cwd, 'tsconfig.json');
  if (!existsSync(project)) return undefined;
  try {
    const manifest = createRequire(project).resolve('typescript/package.json');
    const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin: { tsc: string } };
    return { tsc: join(dirname(manifest), bin.tsc), project };
  } catch {
    return undefined;
  }
};

/** The exit codes of a compiler that found problems, and of one that found none. */
const CHECKED: ReadonlySet<number | null> = new Set([0, 1, 2]);

/**
 * Checks the types of a project in the background with the project's own `tsc --noEmit`. It runs with the lowest
 * priority, so it delays no reload. A new check ends the one that runs.
 */
export class TypeCheck {
  #running: ChildProcess | undefined;
  #isClosed = false;

  constructor(
    private readonly cwd: string,
    /** A file in which the compiler keeps what it found, so that the next check is faster. */
    private readonly cache: string,
    private readonly onChecked: (problems: readonly TypeProblem[]) => void,
  ) {}

  /** Begins a check, if the project has TypeScript and a tsconfig.json. */
  begin(): void {
    this.stop();
    const compiler = this.#isClosed ? undefined : compilerOf(this.cwd);
    if (compiler === undefined) return;
    const { tsc, project } = compiler;
    const child = spawn(
      process.execPath,
      [
        tsc,
        '--project',
        project,
        '--noEmit',
        '--pretty',
        'false',
        '--incremental',
        '--tsBuildInfoFile',
        this.cache,
      ],
      // A separate group: TypeScript 7 starts a second process, which must end with the first.
      { cwd: this.cwd, stdio: ['ignore', 'pipe', 'ignore'], detached: true },
    );
    this.#running = child;
    try {
      setPriority(child.pid ?? 0, constants.priority.PRIORITY_LOW);
    } catch {
      // It has ended, or the system does not allow it.
    }
    const output = text(child.stdout).catch(() => '');
    child.once('error', () => undefined);
    child.once('exit', async (code) => {
      const problems = typeProblems(await output);
      if (this.#running !== child || !CHECKED.has(code)) return;
      this.#running = undefined;
      this.onChecked(problems);
    });
  }

  close(): void {
    this.#isClosed = true;
    this.stop();
  }

  /** Ends the check that runs. */
  stop(): void {
    const pid = this.#running?.pid;
    this.#running = undefined;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It has ended just now.
    }
  }
}

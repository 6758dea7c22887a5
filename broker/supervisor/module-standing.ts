import { nuid } from 'nats';
import type { Fault } from '../../schemas/errors.js';
import type { ModuleState } from '../../schemas/operate.js';
import { ServiceStats } from '../gateway/service-stats.js';
import type { Rest } from './start-plan.js';

/** What is told of a module: its state, why it is in it, and what its processes did since it was loaded. */
export class ModuleStanding {
  state: ModuleState = 'known';
  /** Why it is crashed, or how its last process ended; one line. */
  reason: string | null = null;
  /** What its last process printed before it ended unasked. */
  lastOutput: readonly string[] = [];
  /** Its manifest needs a configuration that it does not have: it starts when that is set. */
  waitsForConfig = false;
  restarts = 0;
  /** Unique since the module was loaded. */
  instance = nuid.next();
  stats = new ServiceStats();

  /** It runs, or the broker still tries to make it run. */
  get isActive(): boolean {
    return this.state === 'loaded' || this.state === 'loading' || this.state === 'reloading';
  }

  /** {@link lastOutput} as one text; undefined where nothing was printed. */
  get lastWords(): string | undefined {
    return this.lastOutput.length === 0 ? undefined : this.lastOutput.join('\n');
  }

  /** It is loaded: what was told of it before is forgotten. */
  begin(): void {
    this.restarts = 0;
    this.lastOutput = [];
    this.state = 'loading';
    this.reason = null;
    this.waitsForConfig = false;
    this.instance = nuid.next();
    this.stats = new ServiceStats();
  }

  /** Has it stay at rest. */
  rest({ state, reason }: Rest): void {
    this.state = state;
    this.reason = reason;
  }

  /** Marks a module that cannot be started at all. */
  refuse(problem: Fault): void {
    this.rest({ state: 'crashed', reason: `${problem.code}: ${problem.message}` });
  }
}

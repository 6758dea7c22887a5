import { useState } from 'preact/hooks';
import type { BurstRequest } from '../../schemas/burst.js';
import { type ApiProblem, post } from '../api/api-client.js';
import { ProblemNotice } from './notice.js';

const FIRST = { rate: '2000', seconds: '5', baseline: '300', baselineSeconds: '2' };
type Numbers = typeof FIRST;

const FIELDS: readonly (readonly [keyof Numbers, string, number])[] = [
  ['rate', 'Records a second', 50_000],
  ['seconds', 'Seconds', 60],
  ['baseline', 'Before and after', 10_000],
  ['baselineSeconds', 'Seconds of these', 20],
];
const VICTIMS = ['module', 'server', 'broker', 'producer'] as const;

/** Kills are spread over the burst. */
const planOf = (victims: readonly string[], seconds: number): string =>
  victims.map((what, i) => `${what}@${((seconds * (i + 1)) / (victims.length + 1)).toFixed(1)}`).join(',');

/** Describes a burst, and starts it. */
export const BurstForm = ({ started }: { readonly started: (id: string) => void }) => {
  const [kind, setKind] = useState<BurstRequest['kind']>('events');
  const [durability, setDurability] = useState<BurstRequest['durability']>('fsync');
  const [numbers, setNumbers] = useState<Numbers>(FIRST);
  const [victims, setVictims] = useState<readonly string[]>([]);
  const [problem, setProblem] = useState<ApiProblem>();
  const [busy, setBusy] = useState(false);
  const start = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const request: BurstRequest = {
      kind,
      durability,
      rate: Number(numbers.rate),
      seconds: Number(numbers.seconds),
      baseline: Number(numbers.baseline),
      baselineSeconds: Number(numbers.baselineSeconds),
      ...(victims.length === 0 ? {} : { kill: planOf(victims, Number(numbers.seconds)) }),
    };
    const answer = await post<{ readonly id: string }>('/v1/bursts', JSON.stringify(request));
    setBusy(false);
    setProblem(answer.ok ? undefined : answer.problem);
    if (answer.ok) started(answer.value.id);
  };
  return (
    <form onSubmit={(event) => void start(event)}>
      <p>
        It sends at a fixed rate, kills what you choose, and proves from the log that no acknowledged record
        is lost, duplicated or out of order. It runs on a separate broker: your log gets nothing of it. It
        takes the processor and the disk of this machine while it runs.
      </p>
      <div class="range wide">
        <label for="burst-kind">
          Kind
          <select
            id="burst-kind"
            value={kind}
            onChange={({ currentTarget }) => setKind(currentTarget.value as BurstRequest['kind'])}
          >
            <option value="events">events</option>
            <option value="calls">calls</option>
          </select>
        </label>
        {FIELDS.map(([name, label, most]) => (
          <label for={`burst-${name}`} key={name}>
            {label}
            <input
              id={`burst-${name}`}
              type="number"
              required
              min="1"
              max={most}
              value={numbers[name]}
              onInput={({ currentTarget }) => setNumbers({ ...numbers, [name]: currentTarget.value })}
            />
          </label>
        ))}
        <label for="burst-durability">
          Durability
          <select
            id="burst-durability"
            value={durability}
            onChange={({ currentTarget }) => setDurability(currentTarget.value as BurstRequest['durability'])}
          >
            <option value="fsync">fsync</option>
            <option value="os">os</option>
          </select>
        </label>
      </div>
      <fieldset class="bare kills">
        <legend>Kill in the burst</legend>
        {VICTIMS.map((what) => (
          <label for={`kill-${what}`} class="check" key={what}>
            <input
              id={`kill-${what}`}
              type="checkbox"
              checked={victims.includes(what)}
              onInput={({ currentTarget }) =>
                setVictims(
                  VICTIMS.filter((each) => (each === what ? currentTarget.checked : victims.includes(each))),
                )
              }
            />
            {what}
          </label>
        ))}
      </fieldset>
      <div class="actions">
        <button type="submit" class="primary" disabled={busy}>
          Start the burst
        </button>
      </div>
      <ProblemNotice problem={problem} />
    </form>
  );
};

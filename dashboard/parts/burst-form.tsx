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

const KINDS = ['events', 'calls'] as const satisfies readonly BurstRequest['kind'][];
const DURABILITIES = ['fsync', 'os'] as const;

interface ChoiceProps<T extends string> {
  readonly id: string;
  readonly label: string;
  readonly value: T;
  readonly values: readonly T[];
  readonly chosen: (value: T) => void;
}

const Choice = <T extends string>({ id, label, value, values, chosen }: ChoiceProps<T>) => (
  <label for={id}>
    {label}
    <select id={id} value={value} onChange={({ currentTarget }) => chosen(currentTarget.value as T)}>
      {values.map((each) => (
        <option value={each} key={each}>
          {each}
        </option>
      ))}
    </select>
  </label>
);

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
        <Choice id="burst-kind" label="Kind" value={kind} values={KINDS} chosen={setKind} />
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
        <Choice
          id="burst-durability"
          label="Durability"
          value={durability}
          values={DURABILITIES}
          chosen={setDurability}
        />
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

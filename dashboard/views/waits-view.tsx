import { useEffect, useRef, useState } from 'preact/hooks';
import { DeadLetters } from '../parts/dead-letters.js';
import { PromiseForm, SignalForm, type SignalTarget } from '../parts/end-wait-forms.js';
import { ScheduleList } from '../parts/schedule-list.js';
import { SleepingHandlers } from '../parts/sleeping-handlers.js';

const NOBODY: SignalTarget = { module: '', agent: '', name: '' };

/** What waits: for time, for a person, for a repair. */
export const WaitsView = () => {
  const [target, setTarget] = useState(NOBODY);
  const forms = useRef<HTMLElement>(null);
  useEffect(() => {
    if (target !== NOBODY) forms.current?.querySelector('textarea')?.focus();
  }, [target]);
  return (
    <>
      <h1>Waits</h1>
      <div class="with-side">
        <div>
          <SleepingHandlers onSignal={setTarget} />
          <DeadLetters />
          <ScheduleList />
        </div>
        <aside ref={forms} class="detail" aria-label="End a wait">
          <h2>Send a signal</h2>
          <SignalForm key={JSON.stringify(target)} target={target} sent={() => undefined} />
          <h2>End a promise</h2>
          <PromiseForm ended={() => undefined} />
        </aside>
      </div>
    </>
  );
};

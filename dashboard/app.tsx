import { useEffect, useRef } from 'preact/hooks';
import type { BrokerStatus } from '../schemas/operate.js';
import { ProblemNotice } from './parts/notice.js';
import { TokenDialog } from './parts/token-dialog.js';
import { useToken } from './api/kept-token.js';
import { useAnswer } from './state/use-answer.js';
import { linkTo, type Route, useRoute } from './state/use-route.js';
import { AgentsView } from './views/agents-view.js';
import { BurstView } from './views/burst-view.js';
import { ConversationsView } from './views/conversations-view.js';
import { GuestView } from './views/guest-view.js';
import { ModulesView } from './views/modules-view.js';
import { NowView } from './views/now-view.js';
import { TimeView } from './views/time-view.js';
import { VerifyView } from './views/verify-view.js';
import { WaitsView } from './views/waits-view.js';

/** What every view gets: its part of the address. */
export interface ViewProps {
  readonly route: Route;
}

/** A new view is a row here. */
const VIEWS = [
  { name: 'now', title: 'Now', View: NowView },
  { name: 'modules', title: 'Modules', View: ModulesView },
  { name: 'agents', title: 'Agents', View: AgentsView },
  { name: 'conversations', title: 'Conversations', View: ConversationsView },
  { name: 'time', title: 'Time machine', View: TimeView },
  { name: 'waits', title: 'Waits', View: WaitsView },
  { name: 'verify', title: 'Verify', View: VerifyView },
  { name: 'burst', title: 'Burst', View: BurstView },
] as const;

const STATUS_MS = 5_000;

const Navigation = ({ now }: { readonly now: string }) => (
  <nav aria-label="Views">
    <ul>
      {VIEWS.map(({ name, title }) => (
        <li key={name}>
          <a href={linkTo(name)} aria-current={name === now ? 'page' : undefined}>
            {title}
          </a>
        </li>
      ))}
    </ul>
  </nav>
);

export const App = () => {
  const [name = 'now', ...route] = useRoute();
  const token = useToken();
  const status = useAnswer<BrokerStatus>('/v1/status', STATUS_MS);
  const main = useRef<HTMLElement>(null);
  const view = VIEWS.find((each) => each.name === name) ?? VIEWS[0];
  useEffect(() => {
    document.title = `${view.title} – Tallystick`;
  }, [view]);
  const mayNotLook = status.problem?.status === 401 || status.problem?.status === 403;
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <header class="top">
        <a class="brand" href={linkTo('now')}>
          <img src="/assets/icon.svg" alt="" width="24" height="24" />
          Tallystick
        </a>
        <Navigation now={view.name} />
        <TokenDialog token={token} />
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {mayNotLook ? (
          <GuestView problem={status.problem} hasToken={token !== ''} />
        ) : (
          <>
            {status.problem !== undefined && <ProblemNotice problem={status.problem} />}
            <view.View route={route} />
          </>
        )}
      </main>
      <footer>
        <a href="/docs">HTTP API</a>
        {status.value !== undefined && (
          <span>
            nats-server {status.value.server.version}, durability {status.value.durability},{' '}
            {status.value.dataDir}
          </span>
        )}
      </footer>
    </>
  );
};

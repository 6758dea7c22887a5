/** The service of the peer Moleculer: deposits in memory. Nothing is stored. */
import { answerQuestions, settingOf } from '../../system/processes/program.js';
import { loadFrom } from '../peers/npm-packages.js';
import type { DepositAsked, MoleculerSetting, Moleculer } from './moleculer-caller.js';
import type { ResponderQuestions } from './responder-main.js';

const { folder, url } = settingOf<MoleculerSetting>();
const { ServiceBroker } = loadFrom<Moleculer>(folder, 'moleculer');
const broker = new ServiceBroker({ nodeID: 'service', transporter: url, logger: false });
const balances = new Map<string, number>();
broker.createService({
  name: 'accounts',
  actions: {
    deposit: ({ params: { agent, amount } }: { readonly params: DepositAsked }) => {
      const balance = (balances.get(agent) ?? 0) + amount;
      balances.set(agent, balance);
      return { status: 'ok', data: { balance } };
    },
  },
});
await broker.start();

answerQuestions<ResponderQuestions>({ pid: () => process.pid });

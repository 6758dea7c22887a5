import { loadFrom } from '../peers/npm-packages.js';
import { depositAt } from './deposit-calls.js';

export interface MoleculerSetting {
  /** Where npm installed it. */
  readonly folder: string;
  /** Of the NATS server that carries its messages. */
  readonly url: string;
}

export interface DepositAsked {
  readonly agent: string;
  readonly amount: number;
}

/** The part of Moleculer that is used here. It is no dependency, so its types are not there. */
export interface Moleculer {
  readonly ServiceBroker: new (options: {
    readonly nodeID: string;
    readonly transporter: string;
    readonly logger: false;
  }) => {
    createService(definition: unknown): unknown;
    start(): Promise<void>;
    waitForServices(name: string): Promise<unknown>;
    call(action: string, params: unknown): Promise<unknown>;
  };
}

/** Makes calls as another node of Moleculer. */
export const byMoleculer = async ({
  folder,
  url,
}: MoleculerSetting): Promise<(i: number) => Promise<unknown>> => {
  const { ServiceBroker } = loadFrom<Moleculer>(folder, 'moleculer');
  const broker = new ServiceBroker({ nodeID: 'caller', transporter: url, logger: false });
  await broker.start();
  await broker.waitForServices('accounts');
  return (i) => broker.call('accounts.deposit', depositAt(i));
};

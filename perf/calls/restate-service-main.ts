/** The service of the peer Restate: the deposits of `accounts`, as a virtual object for each account. */
import { loadFrom } from '../peers/npm-packages.js';

/** The part of the SDK that is used here. It is no dependency, so its types are not there. */
interface RestateContext {
  get(name: string): Promise<number | null>;
  set(name: string, value: number): void;
}
interface RestateSdk {
  object(definition: {
    readonly name: string;
    readonly handlers: {
      readonly deposit: (context: RestateContext, input: { readonly amount: number }) => Promise<unknown>;
    };
  }): unknown;
  serve(options: { readonly services: readonly unknown[]; readonly port: number }): Promise<unknown>;
}

const [folder = '', port = ''] = process.argv.slice(2);
const { object, serve } = loadFrom<RestateSdk>(folder, '@restatedev/restate-sdk');

const accounts = object({
  name: 'accounts',
  handlers: {
    deposit: async (context, { amount }) => {
      const balance = ((await context.get('balance')) ?? 0) + amount;
      context.set('balance', balance);
      return { status: 'ok', data: { balance } };
    },
  },
});

process.on('disconnect', () => process.exit(0));
await serve({ services: [accounts], port: Number(port) });
process.send?.('ready');

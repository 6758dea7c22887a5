import type { Msg, NatsConnection, Subscription } from 'nats';
import { takesAgent } from '../../schemas/manifest.js';
import type { ModuleDirectory, ServedModule } from './directory.js';

type Verb = 'PING' | 'INFO' | 'STATS';

const VERBS: readonly Verb[] = ['PING', 'INFO', 'STATS'];

const identity = (verb: Verb, { manifest, instance }: ServedModule): object => ({
  type: `io.nats.micro.v1.${verb.toLowerCase()}_response`,
  name: manifest.name,
  id: instance,
  version: manifest.version,
  metadata: {},
});

const endpoints = (module: ServedModule, detail: (action: string) => object): object[] =>
  Object.entries(module.manifest.actions).map(([name, action]) => ({
    name,
    subject: `call.${module.manifest.name}.${name}${takesAgent(action) ? '.*' : ''}`,
    queue_group: '',
    ...detail(name),
  }));

const answer = (verb: Verb, module: ServedModule): object => {
  const common = identity(verb, module);
  switch (verb) {
    case 'PING':
      return common;
    case 'INFO':
      return {
        ...common,
        description: module.manifest.description,
        endpoints: endpoints(module, (name) => ({
          metadata: { description: module.manifest.actions[name]?.description ?? '' },
        })),
      };
    case 'STATS':
      return {
        ...common,
        started: module.stats.started.toISOString(),
        endpoints: endpoints(module, (name) => module.stats.endpoint(name)),
      };
  }
};

/**
 * Answers `$SRV.PING|INFO|STATS[.<name>[.<id>]]` for every loaded module, so that `nats micro ls` finds them. The
 * services library would subscribe once per endpoint and leave a call to an unknown action unanswered; the gateway
 * has one subscription for all calls, so only discovery is left to do. Source: NATS ADR-32.
 */
export const serveDiscovery = (nc: NatsConnection, directory: ModuleDirectory): Subscription =>
  nc.subscribe('$SRV.>', {
    callback: (error, msg: Msg) => {
      if (error !== null || msg.reply === undefined) return;
      const [, verb, name, id, ...more] = msg.subject.split('.');
      const known = VERBS.find((candidate) => candidate === verb);
      if (known === undefined || more.length > 0) return;
      for (const module of directory.served()) {
        if (name !== undefined && name !== module.manifest.name) continue;
        if (id !== undefined && id !== module.instance) continue;
        msg.respond(JSON.stringify(answer(known, module)));
      }
    },
  });

import * as E from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import type { Entrance } from '../serving/entrance.js';
import { encodeJson } from '../../schemas/json.js';
import { takesAgent } from '../../schemas/manifest.js';
import { answerBytes, encodeAnswer } from '../serving/answer.js';
import { type Listening, serve } from '../serving/serve.js';
import { SERVED } from '../serving/served.js';
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
 * As much of it as one message holds: else without its endpoints, marked as such, so that the module is found at all.
 */
const encoded = (verb: Verb, module: ServedModule, maxBytes: number): Uint8Array => {
  const whole = encodeAnswer(answer(verb, module), maxBytes);
  if (E.isRight(whole)) return whole.right;
  const short = { ...identity(verb, module), metadata: { incomplete: whole.left.code }, endpoints: [] };
  return encodeJson(short);
};

/**
 * Answers `$SRV.PING|INFO|STATS[.<name>[.<id>]]` for every loaded module, so that `nats micro ls` finds them. The
 * services library would subscribe once per endpoint and leave a call to an unknown action unanswered; the gateway
 * has one subscription for all calls, so only discovery is left to do. The account's import makes
 * `discover.….<sender>` of `$SRV.…`. Source: NATS ADR-32.
 */
export const serveDiscovery = (
  nc: NatsConnection,
  directory: ModuleDirectory,
  entrance: Entrance,
): Listening =>
  serve({
    nc,
    entrance,
    subject: SERVED.discovery,
    // A client that looks for services takes any reply; there is no form for an error.
    refuse: () => undefined,
    // There may be no answer at all: that it is done is told by the promise.
    handle: async (msg) => {
      if (msg.reply === undefined) return;
      const [, verb, name, id, ...more] = msg.subject.split('.').slice(0, -1);
      const known = VERBS.find((candidate) => candidate === verb);
      if (known === undefined || more.length > 0) return;
      for (const module of directory.served()) {
        if (name !== undefined && name !== module.manifest.name) continue;
        if (id !== undefined && id !== module.instance) continue;
        msg.respond(encoded(known, module, answerBytes(nc)));
      }
    },
  });

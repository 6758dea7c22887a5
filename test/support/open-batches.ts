import { headers as makeHeaders, type NatsConnection, nuid } from 'nats';

/** As many batches as the server takes of one stream at a time. */
export const MAX_OPEN_BATCHES = 50;

const SUBJECT = 'evt.nobody.begun.a';

const send = (nc: NatsConnection, id: string, place: number): void => {
  const headers = makeHeaders();
  headers.set('Nats-Batch-Id', id);
  headers.set('Nats-Batch-Sequence', String(place));
  nc.publish(SUBJECT, '{}', { headers });
};

/**
 * Begins batches and does not end them, as nobody should who may write to the log: with all of them open, the server refuses
 * each further one. They end after 10 s without a message, or when the function that is returned is called.
 */
export const openBatches = (nc: NatsConnection, count = MAX_OPEN_BATCHES): (() => void) => {
  const ids = Array.from({ length: count }, () => nuid.next());
  for (const id of ids) send(nc, id, 1);
  return () => {
    // One that is missing in between has the server give the batch up.
    for (const id of ids) send(nc, id, 99);
  };
};

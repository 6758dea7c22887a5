/** Error codes of JetStream, by the names that `errors.json` of nats-server has for them. */
export const JETSTREAM_ERROR = {
  clusterNotAvailable: 10008,
  consumerNotFound: 10014,
  noMessageFound: 10037,
  notEnabledForAccount: 10039,
  storageResourcesExceeded: 10047,
  messageExceedsMaximum: 10054,
  streamNameExists: 10058,
  streamNotFound: 10059,
  wrongLastSequence: 10071,
  /** `max_bytes` of the stream is reached. */
  streamStoreFailed: 10077,
  consumerInvalidPolicy: 10094,
  headerExceedsMaximum: 10097,
  consumerAlreadyExists: 10148,
  /** The same as {@link wrongLastSequence} where the server does not say which one is the last. */
  wrongLastSequenceConstant: 10164,
  /** The queue of the stream is full. */
  tooManyRequests: 10167,
  /** The server gave a batch up: it was not complete in time, or could not be staged. */
  incompleteBatch: 10176,
  tooManyBatches: 10210,
} as const;

export type JetStreamError = keyof typeof JETSTREAM_ERROR;

/** The `error` of an answer of JetStream's API. */
export interface ApiError {
  readonly code?: number;
  readonly err_code?: number;
  readonly description?: string;
}

/** Whether an answer names this error. */
export const isAnswered = (error: ApiError | undefined, name: JetStreamError): boolean =>
  error?.err_code === JETSTREAM_ERROR[name];

/** Whether the client threw this error of JetStream. */
export const isThrown = (thrown: unknown, name: JetStreamError): boolean =>
  (thrown as { readonly code?: unknown } | undefined)?.code === JETSTREAM_ERROR[name];

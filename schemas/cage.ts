import Type, { type Static } from 'typebox';

/**
 * What the broker does about the cage of its modules. `auto`: it closes each layer that this machine has. `required`:
 * it does not start if a layer is missing. `off`: no cage.
 */
export const CAGE_MODES = ['auto', 'required', 'off'] as const;
export type CageMode = (typeof CAGE_MODES)[number];

/** The parts of the cage. A machine can have some of them. */
export const CAGE_LAYERS = ['files', 'ports', 'signals', 'calls', 'limits'] as const;
export type CageLayer = (typeof CAGE_LAYERS)[number];

const CageLayerSchema = Type.Object({
  layer: Type.Enum([...CAGE_LAYERS]),
  holds: Type.Boolean({ description: 'Whether the processes of modules are held by it.' }),
  detail: Type.String({
    description: 'What the layer does; or why it is missing, and what follows from that.',
  }),
});

export const CageStatusSchema = Type.Object(
  {
    mode: Type.Enum([...CAGE_MODES]),
    layers: Type.Immutable(Type.Array(CageLayerSchema)),
  },
  { description: 'The cage of the processes of modules, layer by layer.' },
);
export type CageStatus = Readonly<Static<typeof CageStatusSchema>>;

const Path = Type.String({ minLength: 1, maxLength: 4_096, pattern: '^[^\\u0000]+$' });
const Port = Type.Integer({ minimum: 1, maximum: 65_535 });
const MAX_REQUESTS = 100;

/** What a module needs besides its own files and the server. An operator who loads the module grants it. */
export const CageRequestSchema = Type.Object(
  {
    read: Type.Optional(
      Type.Array(Path, {
        maxItems: MAX_REQUESTS,
        description:
          'Files and directories that it reads: absolute, or relative to the directory of the manifest.',
      }),
    ),
    write: Type.Optional(
      Type.Array(Path, {
        maxItems: MAX_REQUESTS,
        description:
          'Files and directories that it reads and changes. A file must exist when the module starts.',
      }),
    ),
    connect: Type.Optional(
      Type.Array(Port, {
        maxItems: MAX_REQUESTS,
        description: 'TCP ports that it connects to, on any host, besides the port of the NATS server.',
      }),
    ),
    listen: Type.Optional(
      Type.Array(Port, { maxItems: MAX_REQUESTS, description: 'TCP ports that it listens on.' }),
    ),
  },
  { additionalProperties: false },
);
export type CageRequest = Readonly<Static<typeof CageRequestSchema>>;

/** A layer that holds, in words. */
export const CAGE_HOLDS: Readonly<Record<CageLayer, string>> = {
  files:
    'a module reads its own code and the system, and writes its own snapshots and its own temporary directory',
  ports: 'a module connects to the NATS server over TCP, and listens on no port',
  signals: 'a module sends no signal to a process that it did not start',
  calls:
    'processes of a module cannot leave its group, and end with it; no socket but the internet, no debugging',
  limits: 'no core file, and limits for processes, open files and the size of a file',
};

/** What a module can do if the layer is missing. */
export const CAGE_LACKS: Readonly<Record<CageLayer, string>> = {
  files:
    "a module reads and writes every file of the broker's user: keys, log, snapshots of others, memory of processes",
  ports: 'a module connects to every TCP port that this machine reaches',
  signals: 'a module can end the broker, the server and other modules',
  calls: 'a process that a module starts in a separate session outlives the module and the broker',
  limits: 'a module can write a core file, and start as many processes as the user may',
};

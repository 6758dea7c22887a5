import Type, { type Static } from 'typebox';
import { PrincipalLimitsSchema } from './principal-limits.js';

/** The requests for principals and their tokens: `access.…`, of the operator and of principals with `operate admin`. */
export const ACCESS = {
  create: 'access.create',
  change: 'access.change',
  list: 'access.list',
  show: 'access.show',
  revoke: 'access.revoke',
  rotate: 'access.rotate',
} as const;

/**
 * The module of the commands that record grants in the log: `cmd._access.grant.<principal>.<who>`. The broker itself
 * gives them their results. No module has this name, and no client can send these commands.
 */
export const ACCESS_MODULE = '_access';

const PublicKey = Type.String({ pattern: '^U[A-Z2-7]{55}$', description: 'Public nkey of the token.' });
const Grants = Type.Immutable(
  Type.Array(Type.String({ maxLength: 256 }), { maxItems: 100, description: 'Such as `call accounts.*`.' }),
);
const Expires = Type.Union([Type.String(), Type.Null()], {
  description: 'When the token ends, RFC 3339; null: never.',
});

export const PrincipalSchema = Type.Object({
  name: Type.String(),
  account: Type.String({ description: 'The sender of its commands in the log.' }),
  publicKey: PublicKey,
  allow: Grants,
  created: Type.String({ description: 'When the token was made, RFC 3339.' }),
  expires: Expires,
  by: Type.String({ description: 'The account that made or changed it last.' }),
  limits: Type.Optional(PrincipalLimitsSchema),
});
/** A principal: a person or a program with a token. */
export type Principal = Readonly<Static<typeof PrincipalSchema>>;

const Name = Type.String();
const LimitChanges = Type.Immutable(
  Type.Array(Type.String({ maxLength: 256 }), { maxItems: 100, description: 'Such as `rate=200/s`.' }),
);
/** Milliseconds from now; null: the token never ends. */
const Ttl = Type.Union([Type.Integer({ minimum: 1, maximum: 100 * 366 * 86_400_000 }), Type.Null()]);

export const CreateTokenSchema = Type.Object(
  { name: Name, publicKey: PublicKey, allow: Grants, ttlMs: Ttl, limits: Type.Optional(LimitChanges) },
  { additionalProperties: false },
);
export type CreateToken = Static<typeof CreateTokenSchema>;

export const ChangeTokenSchema = Type.Object(
  {
    name: Name,
    add: Type.Optional(Grants),
    remove: Type.Optional(Grants),
    ttlMs: Type.Optional(Ttl),
    limits: Type.Optional(LimitChanges),
  },
  { additionalProperties: false },
);
export type ChangeToken = Static<typeof ChangeTokenSchema>;

export const RotateTokenSchema = Type.Object(
  { name: Name, publicKey: PublicKey },
  { additionalProperties: false },
);
export type RotateToken = Static<typeof RotateTokenSchema>;

export const NamedTokenSchema = Type.Object({ name: Name }, { additionalProperties: false });

/** Reply to {@link ACCESS.list}. */
export interface PrincipalList {
  readonly principals: readonly Principal[];
}

/** Reply to {@link ACCESS.create}, {@link ACCESS.change}, {@link ACCESS.rotate} and {@link ACCESS.revoke}. */
export interface TokenChange {
  readonly principal: Principal;
  /** Sequence of the command in the log that records the change; null: the log took none, and gets it later. */
  readonly recorded: number | null;
}

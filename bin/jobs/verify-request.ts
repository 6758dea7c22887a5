import { join } from 'node:path';
import { bimap, type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { OutFile } from '../../system/files/out-file.js';
import { certificateText, certify, readCertificate, statementFor } from '../../replay/verify/certificate.js';
import { CERTIFICATE_KEY_FILE, openSigningKey, type SigningKey } from '../../replay/verify/signing-key.js';
import type { SnapshotsToVerify } from '../../replay/verify/verify-snapshots.js';
import { type VerifyOptions, verifyLog } from '../../replay/verify/verify-log.js';
import type { AnyModule } from '../../modules/sdk/module-shape.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { type ModuleStatus, OPS } from '../../schemas/operate.js';
import type { Statement } from '../../schemas/verification.js';
import { brokerDataDir } from '../../link/broker-data-dir.js';
import { EXIT, type ExitCode } from '../output/exit.js';
import { moduleCode, moduleInfo } from './module-code.js';
import { print, printJson } from '../output/output.js';
import { type ProgressBar, progressBar } from '../text/progress-bar.js';
import { ask } from '../../link/request-broker.js';
import { done } from '../output/run-command.js';
import { verificationText } from '../text/verify-text.js';

export interface VerifyRequest {
  readonly nc: NatsConnection;
  readonly range: Pick<VerifyOptions, 'from' | 'to' | 'graceMs' | 'ledger'>;
  readonly json: boolean;
  /** Whether to compare snapshots. */
  readonly states: boolean;
  /** File to write a certificate to. */
  readonly certificate?: string | undefined;
  /** File of a certificate to check. */
  readonly against?: string | undefined;
  /** Public keys to trust; none: the key of the key file. */
  readonly trust?: readonly string[] | undefined;
  /** The key file; default: in the data directory of the broker. */
  readonly key?: string | undefined;
}

/** The snapshots of all loaded modules whose code can run here, and the reason for each other module. */
const snapshotsOf = async (nc: NatsConnection): Promise<SnapshotsToVerify | string> => {
  const dataDir = await brokerDataDir(nc)();
  if (isLeft(dataDir)) return dataDir.left.message;
  const listed = await ask<{ modules: readonly ModuleStatus[] }>(nc, OPS.moduleList)();
  if (isLeft(listed)) return listed.left.message;
  const modules: AnyModule[] = [];
  const why: string[] = [];
  for (const { name, state } of listed.right.modules) {
    if (state !== 'loaded') {
      why.push(`the states of ${name} were not compared: it is ${state}`);
      continue;
    }
    const info = await moduleInfo(nc, name)();
    // A program in another language keeps no snapshots here.
    const code =
      isLeft(info) || 'entry' in info.right.manifest.start
        ? await moduleCode(nc, name, undefined)()
        : left(fault('MODULE_CODE_UNAVAILABLE', 'it is a program in another language'));
    if (isLeft(code)) why.push(`the states of ${name} were not compared: ${code.left.message}`);
    else modules.push(code.right);
  }
  return { dataDir: dataDir.right, modules, left: why };
};

const keyFile = async ({ nc, key }: VerifyRequest): Promise<Either<Fault, string>> => {
  if (key !== undefined) return right(key);
  return pipe(
    await brokerDataDir(nc)(),
    bimap(
      (problem) =>
        problem.code === 'USAGE'
          ? fault('USAGE', `${problem.message}; name a file for the signing key with --key`)
          : problem,
      (dataDir) => join(dataDir, CERTIFICATE_KEY_FILE),
    ),
  );
};

const signingKeyOf = async (
  request: VerifyRequest,
  make: boolean,
): Promise<Either<Fault, SigningKey | undefined>> => {
  const path = await keyFile(request);
  return isLeft(path) ? path : openSigningKey(path.right, make);
};

const statementOf = async (request: VerifyRequest): Promise<Either<Fault, Statement | undefined>> => {
  const { against, trust } = request;
  if (against === undefined) return right(undefined);
  if (trust !== undefined) return readCertificate(against, trust);
  const own = await signingKeyOf(request, false);
  if (isLeft(own)) return own;
  return readCertificate(against, own.right === undefined ? [] : [own.right.publicKey]);
};

/** `replay verify`: done if nothing is wrong, otherwise no. */
export const runVerify =
  (request: VerifyRequest): TaskEither<Fault, ExitCode> =>
  async () => {
    const { nc, range, json, certificate } = request;
    const against = await statementOf(request);
    if (isLeft(against)) return against;
    // Check the key and the file first: without them, the long work is useless.
    const key = certificate === undefined ? right(undefined) : await signingKeyOf(request, true);
    if (isLeft(key)) return key;
    await using out = certificate === undefined ? undefined : await OutFile.open(certificate);
    const snapshots = request.states ? await snapshotsOf(nc) : undefined;
    let bar: ProgressBar | undefined;
    const verified = await verifyLog({
      nc,
      ...range,
      against: against.right,
      snapshots: typeof snapshots === 'string' ? undefined : snapshots,
      onProgress: (seq, toSeq) => {
        bar ??= progressBar('records', toSeq);
        bar.update(seq);
      },
    })();
    bar?.[Symbol.dispose]();
    if (isLeft(verified)) return verified;
    const { segments } = verified.right;
    const why = typeof snapshots === 'string' ? [`snapshots were not compared: ${snapshots}`] : [];
    const found = { ...verified.right.verification, notes: [...verified.right.verification.notes, ...why] };
    if (out !== undefined && key.right !== undefined) {
      await out.write(Buffer.from(certificateText(certify(statementFor(found, segments), key.right))));
      await out.finish();
    }
    if (json) printJson(found);
    else {
      print(verificationText(found));
      if (against.right !== undefined) {
        const { issuedAt, firstSeq, lastSeq } = against.right;
        print(`checked against the certificate of ${issuedAt}, of records ${firstSeq} to ${lastSeq}`);
      }
      if (certificate !== undefined) print(`certificate ${certificate}, signed by ${key.right?.publicKey}`);
    }
    return right(found.ok ? done : EXIT.no);
  };

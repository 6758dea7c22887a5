import type { Socket } from 'node:net';
import { fault } from '../schemas/errors.js';
import { beginsTls } from '../system/tls/first-bytes.js';
import type { AdmittedClient, TlsAdmission } from '../system/tls/tls-admission.js';
import { refuseConnection } from './requests/broken-request.js';

/** Takes a connection that is encrypted. */
type Serve = (connection: Socket) => void;

const begin = async (client: Socket, admitted: AdmittedClient, serve: Serve): Promise<void> => {
  // From here on no error of it is without a listener.
  client.on('error', () => client.destroy());
  try {
    if (!(await beginsTls(client))) {
      admitted.refused('it sent no TLS');
      return refuseConnection(
        client,
        fault('HTTP_FORBIDDEN', 'this address takes TLS only: begin it with https://'),
      );
    }
    const tls = await admitted.secure();
    const refused = admitted.certificateFault(tls);
    if (refused === undefined) return serve(tls);
    admitted.refused(refused);
    refuseConnection(tls, fault('HTTP_FORBIDDEN', refused));
  } catch (error) {
    admitted.refused((error as Error).message);
    client.destroy();
  } finally {
    admitted.settled();
  }
};

/** Has each connection begin TLS, and passes it on. One that does not is told why. */
export const secureConnections =
  (admission: TlsAdmission, serve: Serve) =>
  (client: Socket): void => {
    const admitted = admission.admit(client);
    if (admitted !== undefined) void begin(client, admitted, serve);
  };

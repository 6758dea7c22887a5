/** A server of a peer on loopback. Its files go with it. */
export interface PeerServer extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

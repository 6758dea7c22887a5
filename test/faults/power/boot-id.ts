import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/**
 * The boot of a machine that lost power is another one. The broker looks at it, and lmdb-js (3.5.6, `mdb_pick_meta`): in the
 * same boot it goes on with what was committed and is not on the disk, since the system has it still. A program that is run
 * {@link within} sees the id that is written here, by a mount that it alone sees.
 */
export class BootId {
  readonly #path: string;

  constructor(dir: string) {
    this.#path = join(dir, 'boot_id');
    this.renew();
  }

  renew(): void {
    writeFileSync(this.#path, `${randomUUID()}\n`);
  }

  /** Runs the rest of the arguments in its own place. */
  get within(): readonly string[] {
    return ['unshare', '--mount', 'sh', '-c', `mount --bind "$0" ${BOOT_ID} && exec "$@"`, this.#path];
  }
}

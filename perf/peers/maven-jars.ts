import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir } from '../../broker/server/cache.js';
import { installFolder } from '../../system/files/install.js';

const INSTALL_LIMIT_MS = 10 * 60_000;
const PROJECT = 'pom.xml';

interface MavenArtifact {
  readonly group: string;
  readonly artifact: string;
  readonly version: string;
}

const projectOf = ({ group, artifact, version }: MavenArtifact): string =>
  [
    '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>',
    '<groupId>peers</groupId><artifactId>peers</artifactId><version>1</version>',
    `<dependencies><dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId>`,
    `<version>${version}</version></dependency></dependencies></project>`,
    '',
  ].join('\n');

/**
 * Installs an artifact of Maven and all that it needs once into the cache; the folder of the jars. Throws without
 * Maven.
 */
export const installMavenJars = async (
  wanted: MavenArtifact,
  say: (line: string) => void,
): Promise<string> => {
  const folder = join(resolve(cacheDir()), `${wanted.artifact}-${wanted.version}-jars`);
  const jars = join(folder, 'jars');
  if (existsSync(join(folder, PROJECT))) return jars;
  say(`installing ${wanted.artifact} ${wanted.version} from Maven, once (kept in ${folder})`);
  await installFolder(folder, async (work) => {
    await writeFile(join(work, PROJECT), projectOf(wanted));
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${join(work, 'jars')}`];
    await promisify(execFile)('mvn', ['--quiet', '--batch-mode', ...goal], {
      cwd: work,
      timeout: INSTALL_LIMIT_MS,
    });
  });
  return jars;
};

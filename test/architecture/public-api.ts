import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CompilerState, Extractor, ExtractorConfig, type ExtractorLogLevel } from '@microsoft/api-extractor';
import { PROJECT_ROOT } from '../support/project-root.js';
import { runProgram } from '../support/run-program.js';

/** The reports of the public API that a review sees change, a file for each entry of the package. */
export const API_REPORTS = join(PROJECT_ROOT, 'test', 'architecture', 'public-api');

export const REPORT_SUFFIX = '.api.md';
const MODEL_SUFFIX = '.api.json';

interface Entry {
  /** `index` for the package itself, else the name after it: `tallystick/journal` is `journal`. */
  readonly name: string;
  /** Its compiled types. */
  readonly types: string;
}

const entries = (): readonly Entry[] => {
  const { exports } = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')) as {
    readonly exports: Readonly<Record<string, string | { readonly types: string }>>;
  };
  return Object.entries(exports).flatMap(([key, target]) =>
    typeof target === 'string'
      ? []
      : [{ name: key === '.' ? 'index' : key.slice(2), types: join(PROJECT_ROOT, target.types) }],
  );
};

/** A strict user of Node with the newest settings. */
const COMPILER_OPTIONS = {
  target: 'es2022',
  module: 'nodenext',
  moduleResolution: 'nodenext',
  lib: ['es2023', 'esnext.disposable'],
  types: ['node'],
  typeRoots: [join(PROJECT_ROOT, 'node_modules', '@types')],
  strict: true,
  skipLibCheck: true,
};

/** A type that a signature of an entry needs is an export of the entry, so that a user can name it. */
const MESSAGES = {
  compilerMessageReporting: { default: { logLevel: 'error' as ExtractorLogLevel } },
  extractorMessageReporting: {
    default: { logLevel: 'none' as ExtractorLogLevel },
    'ae-forgotten-export': { logLevel: 'error' as ExtractorLogLevel, addToApiReportFile: false },
  },
  tsdocMessageReporting: { default: { logLevel: 'none' as ExtractorLogLevel } },
};

const configOf = ({ name, types }: Entry, all: readonly Entry[], dir: string): ExtractorConfig =>
  ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(PROJECT_ROOT, 'package.json'),
    configObject: {
      projectFolder: PROJECT_ROOT,
      mainEntryPointFilePath: types,
      compiler: {
        overrideTsconfig: { compilerOptions: COMPILER_OPTIONS, files: all.map((each) => each.types) },
      },
      apiReport: { enabled: true, reportFileName: name, reportFolder: dir, reportTempFolder: dir },
      docModel: { enabled: true, apiJsonFilePath: join(dir, `${name}${MODEL_SUFFIX}`) },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
      messages: MESSAGES,
    },
  });

/**
 * Reads the compiled types, and writes a report and a model of each entry to `dir`. Returns the reports. Throws if the
 * types do not compile.
 */
export const extractApi = (dir: string): ReadonlyMap<string, string> => {
  mkdirSync(dir, { recursive: true });
  const all = entries();
  const configs = all.map((entry) => configOf(entry, all, dir));
  const [first] = configs;
  if (first === undefined) throw new Error('the package has no entry');
  const additionalEntryPoints = all.slice(1).map(({ types }) => types);
  const compilerState = CompilerState.create(first, { additionalEntryPoints });
  for (const config of configs) {
    const faults: string[] = [];
    const { errorCount } = Extractor.invoke(config, {
      localBuild: true,
      compilerState,
      messageCallback: (message) => {
        if (String(message.logLevel) === 'error') faults.push(message.text);
        message.handled = true;
      },
    });
    if (errorCount > 0) throw new Error(`${config.mainEntryPointFilePath}: ${faults.join('; ')}`);
  }
  return readReports(dir);
};

/** Without the places of warnings: a line more in a comment does not change the API. */
const withoutPlaces = (report: string): string => report.replaceAll(/(\.d\.ts):\d+:\d+/g, '$1');

/** The reports in a directory, by entry. */
export const readReports = (dir: string): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(dir)
      .filter((file) => file.endsWith(REPORT_SUFFIX))
      .sort()
      .map((file) => [
        file.slice(0, -REPORT_SUFFIX.length),
        withoutPlaces(readFileSync(join(dir, file), 'utf8')),
      ]),
  );

/** The tool has one entry in a package, so each entry but the first looks like a package of a scope. */
const asPackage = (model: string, entry: string, name: string): string =>
  entry === 'index'
    ? model
    : model
        .replaceAll(`"${name}!`, `"@${name}/${entry}!`)
        .replace(`"name": "${name}"`, `"name": "@${name}/${entry}"`);

/** Writes the pages of a reference to `out`, from the models that {@link extractApi} has written to `dir`. */
export const writeReference = async (dir: string, out: string): Promise<void> => {
  const models = join(dir, 'models');
  mkdirSync(models);
  for (const file of readdirSync(dir).filter((each) => each.endsWith(MODEL_SUFFIX))) {
    const model = readFileSync(join(dir, file), 'utf8');
    writeFileSync(join(models, file), asPackage(model, file.slice(0, -MODEL_SUFFIX.length), 'tallystick'));
  }
  const program = join(PROJECT_ROOT, 'node_modules', '.bin', 'api-documenter');
  const args = ['markdown', '--input-folder', models, '--output-folder', out];
  const { code, stdout, stderr } = await runProgram(program, args);
  if (code !== 0) throw new Error(`api-documenter: ${stdout}${stderr}`);
  for (const file of readdirSync(out)) {
    const page = readFileSync(join(out, file), 'utf8');
    writeFileSync(join(out, file), page.replaceAll('@tallystick/', 'tallystick/'));
  }
};

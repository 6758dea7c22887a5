import assert from 'node:assert/strict';
import { createReadStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { CloudEvent } from 'cloudevents';
import { printable } from '../../text/printable.js';
import { startBroker } from '../support/broker.js';
import { createLog, dial } from '../support/log.js';
import { tallystickPath } from '../support/program-paths.js';
import { RawWriter, type RawMessage } from '../support/raw-writer.js';
import { type ProgramResult, runProgram } from '../support/run-program.js';
import { startServer, type TestServer } from '../support/server.js';
import { type TempDir, tempDir } from '../support/temp-dir.js';
import { oddRecords } from '../replay/odd-log.js';
import { CLEAN_ENV } from './tallystick.js';

/** Records of the log; `TOTAL_RECORDS=100000` is the long form. */
const RECORDS = Number(process.env.TOTAL_RECORDS ?? 2_000);
const SEED = Number(process.env.TOTAL_SEED ?? 16);
const SAMPLES = 4;
const TIMEOUT_MS = 60_000 + RECORDS * 6;

const bytesOf = (form: string, data: unknown): Buffer =>
  form === 'empty' ? Buffer.alloc(0) : Buffer.from(data as string, form === 'base64' ? 'base64' : 'utf8');

describe(`every tool on a log of ${RECORDS} generated records, seed ${SEED}`, () => {
  let home: TempDir;
  let server: TestServer;
  let records: readonly RawMessage[];
  const at = (name: string): string => join(home.path, name);
  /** Runs a command of the command line; what it prints is in that file. */
  const into = (file: string, args: string, target = `--server ${server.url}`): Promise<ProgramResult> =>
    runProgram('sh', ['-c', `'${process.execPath}' '${tallystickPath()}' ${args} ${target} > ${file}`], {
      cwd: home.path,
      env: CLEAN_ENV,
      timeoutMs: TIMEOUT_MS,
    });
  const good = async (file: string, args: string, target?: string): Promise<void> => {
    const { code, stderr } = await into(file, args, target);
    assert.deepEqual([code, stderr.slice(0, 500)], [0, ''], args);
  };
  /** The lines of a file, which is larger than a string can be. */
  async function* lines(file: string): AsyncGenerator<string> {
    yield* createInterface({ input: createReadStream(at(file)), crlfDelay: 0 });
  }
  const digestOf = async (file: string, target?: string): Promise<unknown> => {
    const { code, stderr } = await into(file, `replay verify --no-states --json --to ${RECORDS}`, target);
    assert.deepEqual([code, stderr.slice(0, 500)], [1, '']);
    const {
      digest,
      records: read,
      lastSeq,
    } = JSON.parse(readFileSync(at(file), 'utf8')) as Record<string, unknown>;
    return { digest, read, lastSeq };
  };

  before(async () => {
    home = tempDir();
    server = await startServer({ name: 'total', jetstream: 'max_file_store: 20GB' });
    const nc = await dial(server);
    await createLog(nc, 10_000_000_000);
    await nc.close();
    records = [...oddRecords(RECORDS, SEED)];
    await using writer = await RawWriter.connect(server.url);
    await writer.store(records);
    await good('log.ndjson', 'replay export');
  });
  after(async () => {
    await server?.[Symbol.asyncDispose]();
    await home?.[Symbol.asyncDispose]();
  });

  it('history shows each record once, on one line, and its payload to the byte', async () => {
    await good('history.jsonl', 'replay history --json');
    let seq = 0;
    for await (const line of lines('history.jsonl')) {
      const record = JSON.parse(line) as Record<string, unknown>;
      const stored = records[seq] as RawMessage;
      seq += 1;
      assert.equal(record.seq, seq);
      const subject =
        record.subjectBase64 === null
          ? Buffer.from(record.subject as string)
          : Buffer.from(record.subjectBase64 as string, 'base64');
      assert.ok(subject.equals(stored.subject), `${seq}`);
      if (record.form !== 'json')
        assert.ok(bytesOf(record.form as string, record.data).equals(stored.data), `${seq} ${record.form}`);
      else {
        // Blanks between the parts are left out, and what would steer a terminal is its number; all else stands as it was stored.
        const data = line.slice(line.indexOf('"form":"json","data":') + 21, -1);
        const plain = (text: string): string => text.replaceAll(/("(?:[^"\\]|\\.)*")|\s+/gs, '$1');
        assert.equal(data, printable(plain(Buffer.from(stored.data).toString())), `${seq}`);
      }
    }
    assert.equal(seq, RECORDS);
    await good('history.txt', 'replay history');
    let shown = 0;
    for await (const line of lines('history.txt')) {
      shown += 1;
      assert.match(line, new RegExp(`^ *${shown} `));
      // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be there
      assert.equal(/[\u0000-\u001f\u007f-\u009f]/.test(line), false, `${shown}`);
    }
    assert.equal(shown, RECORDS);
  });

  it('each line of cloudevents is a CloudEvent, by their own package, and csv has a row for each record', async () => {
    await good('log.cloudevents', 'replay export --format cloudevents');
    let seq = 0;
    for await (const line of lines('log.cloudevents')) {
      seq += 1;
      const event = new CloudEvent(JSON.parse(line) as Record<string, unknown>, true);
      assert.equal(event.id, `${seq}`);
      for (const [name, text] of Object.entries(event.toJSON())) {
        if (text === undefined) continue;
        if (name.startsWith('data') && name !== 'datacontenttype') continue;
        assert.match(name, /^[a-z0-9]{1,20}$/);
        assert.ok(
          typeof text === 'string' && !/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(text),
          `${seq} ${name}`,
        );
      }
    }
    assert.equal(seq, RECORDS);
    await good('log.csv', 'replay export --format csv');
    const text = readFileSync(at('log.csv'));
    let [rows, isQuoted] = [0, false];
    // RFC 4180: a line feed within quotes is none of a row.
    for (const byte of text) {
      if (byte === 34) isQuoted = !isQuoted;
      else if (byte === 10 && !isQuoted) rows += 1;
    }
    assert.deepEqual([rows, isQuoted], [RECORDS + 1, false]);
  });

  it('trace shows the conversation of any of them in every form', async () => {
    for (let i = 1; i <= SAMPLES; i++) {
      const seq = Math.floor((RECORDS * i) / SAMPLES);
      const { code, stderr } = await into('trace.json', `replay trace ${seq} --json`);
      if (code === 1) {
        // An epoch record, and what is none of ours, is of no conversation.
        assert.match(stderr, /"code":"CONVERSATION_UNKNOWN"/);
        continue;
      }
      assert.deepEqual([code, stderr], [0, '']);
      const { records: count } = JSON.parse(readFileSync(at('trace.json'), 'utf8')) as { records: number };
      assert.ok(count >= 1);
      await Promise.all(
        ['', ' --html', ' --mermaid'].map((form) => good('trace.out', `replay trace ${seq}${form}`)),
      );
    }
  });

  for (const format of ['ndjson', 'cloudevents'] as const) {
    it(`an import of ${format} gives the same digest, and the same export again`, async () => {
      const before = await digestOf('verify.json');
      await good('import.txt', `replay import log.${format}`, `--data ${format}`);
      await using broker = await startBroker({
        dataDir: at(format),
        args: ['--no-shipped'],
        readyWithinMs: TIMEOUT_MS,
      });
      assert.deepEqual(await digestOf('again.json', `--data ${format}`), before);
      await good('again.ndjson', `replay export --to ${RECORDS}`, `--data ${format}`);
      const again = lines('again.ndjson');
      // The first line says which log it is.
      await again.next();
      let seq = -1;
      for await (const line of lines('log.ndjson')) {
        seq += 1;
        if (seq > 0) assert.ok(line === (await again.next()).value, `line of record ${seq}`);
      }
      assert.equal(seq, RECORDS);
      await broker.stop();
    });
  }
});

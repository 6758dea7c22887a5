import fc from 'fast-check';

/** Texts of numbers and strings that come back otherwise when they are parsed and written again. */
const NUMBERS = [
  '0',
  '-0',
  '1.0',
  '1e3',
  '1E+2',
  '0.10e-7',
  '9007199254740993',
  '-123456789012345678901234567890.50',
  '1e400',
];
const STRINGS = [
  '""',
  '"data"',
  '"out"',
  '"\\u0064ata"',
  '"a\\/b"',
  '"\\ud800"',
  '"ü€😀"',
  '"}]{[,:"',
  '"\\"\\\\"',
  '"\\u0000"',
  '"1"',
  '"__proto__"',
];
const BLANKS = ['', '', '', ' ', '\n', '\t ', '\r\n'];

const blank = fc.constantFrom(...BLANKS);
const string = fc.oneof(
  fc.constantFrom(...STRINGS),
  fc.string({ maxLength: 8 }).map((text) => JSON.stringify(text)),
);
const around = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(blank, text, blank).map((parts) => parts.join(''));

const { value } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...NUMBERS, 'true', 'false', 'null'),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => JSON.stringify(number)),
    string,
    fc.array(around(tie('value')), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
    // Few names, so that one is often there twice.
    fc
      .array(fc.tuple(around(string), around(tie('value'))), { maxLength: 4 })
      .map((members) => `{${members.map((member) => member.join(':')).join(',')}}`),
  ),
}));

/** A JSON text as any program may write it, without blanks around it: numbers, escapes, names that are there twice. */
export const jsonText = (): fc.Arbitrary<string> => value;

/** The same, in lists of some depth. */
export const deepJsonText = (depth: number): fc.Arbitrary<string> =>
  fc
    .tuple(value, fc.integer({ min: 0, max: depth }))
    .map(([text, times]) => `${'['.repeat(times)}${text}${']'.repeat(times)}`);

export interface ResultText {
  readonly text: string;
  readonly data: string;
  readonly out: readonly { readonly subject: string; readonly data: string }[];
}

const named = (name: string): fc.Arbitrary<string> =>
  fc.constantFrom(
    `"${name}"`,
    `"${name}"`,
    // The same name, one letter of it escaped.
    `"\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}"`,
  );

const member = (name: string, text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(around(named(name)), around(text)).map((parts) => parts.join(':'));

/** The body of a result that is ok, in any order and with any blanks, and what counts in it. */
export const resultText = (subject: fc.Arbitrary<string>, data = jsonText()): fc.Arbitrary<ResultText> =>
  fc
    .record({ data, out: fc.array(fc.record({ subject, data }), { minLength: 1, maxLength: 3 }) })
    .chain(({ data, out }) => {
      const item = (each: { subject: string; data: string }) =>
        fc
          .tuple(
            fc.subarray(['"data":1', '"subject":"res.no.copy"', '"id":"1/1"']),
            member('subject', fc.constant(JSON.stringify(each.subject))),
            member('data', fc.constant(each.data)),
            fc.boolean(),
          )
          .map(([before, a, b, turned]) => `{${[...before, ...(turned ? [b, a] : [a, b])].join(',')}}`);
      const list = fc.tuple(...out.map((each) => around(item(each)))).map((items) => `[${items.join(',')}]`);
      const last = fc
        .tuple(
          member('status', fc.constant('"ok"')),
          member('data', fc.constant(data)),
          member('out', list),
          member('more', jsonText()),
        )
        .chain((members) => fc.shuffledSubarray(members, { minLength: members.length }));
      const before = fc.subarray([
        '"status":"failed"',
        '"data":{"out":[]}',
        '"out":[{"subject":"evt.raw.no.x","data":0}]',
      ]);
      return fc.tuple(before, last, blank, blank).map(([first, members, a, b]) => ({
        text: `${a}{${[...first, ...members].join(',')}}${b}`,
        data,
        out,
      }));
    });

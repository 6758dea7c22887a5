import { render } from 'preact';
import { ScrollBox } from './parts/scroll-box.js';
import { useAnswer } from './state/use-answer.js';
import { Empty, ProblemNotice } from './parts/notice.js';
import { type InputSchema, schemaText } from './parts/schema-form.js';

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly description?: string;
    readonly schema: InputSchema;
  }[];
  readonly requestBody?: {
    readonly description: string;
    readonly content: Readonly<Record<string, { readonly schema: InputSchema }>>;
  };
  readonly responses: Readonly<
    Record<
      string,
      {
        readonly description: string;
        readonly content?: Readonly<Record<string, { readonly schema: InputSchema }>>;
      }
    >
  >;
}

interface ApiDocument {
  readonly info: {
    readonly title: string;
    readonly version: string;
    readonly description: string;
  };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Listed {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

const listed = ({ paths }: ApiDocument): ReadonlyMap<string, readonly Listed[]> => {
  const groups = new Map<string, Listed[]>();
  for (const [path, methods] of Object.entries(paths))
    for (const [method, operation] of Object.entries(methods)) {
      const [tag = 'other'] = operation.tags;
      groups.set(tag, [...(groups.get(tag) ?? []), { method, path, operation }]);
    }
  return groups;
};

const schemaOf = (content: Operation['responses'][string]['content']): InputSchema | undefined =>
  Object.values(content ?? {})[0]?.schema;

const OperationCard = ({ method, path, operation }: Listed) => (
  <details class="record" id={operation.operationId}>
    <summary>
      <span class={`kind method-${method}`}>{method.toUpperCase()}</span>
      <code>{path}</code>
      <span class="note">{operation.summary}</span>
    </summary>
    {operation.parameters.length > 0 && (
      <ScrollBox label={`Parameters of ${operation.operationId}`}>
        <table>
          <thead>
            <tr>
              <th scope="col">Parameter</th>
              <th scope="col">In</th>
              <th scope="col">Is</th>
            </tr>
          </thead>
          <tbody>
            {operation.parameters.map(({ name, in: place, required, description, schema }) => (
              <tr key={name}>
                <th scope="row">
                  <code>{name}</code>
                </th>
                <td>
                  {place}
                  {required ? '' : ', optional'}
                </td>
                <td>
                  {description} <code>{schemaText(schema)}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
    )}
    {operation.requestBody !== undefined && (
      <p>
        <strong>Body</strong> {operation.requestBody.description}{' '}
        <code>{schemaText(schemaOf(operation.requestBody.content))}</code>
      </p>
    )}
    {Object.entries(operation.responses).map(([status, { description, content }]) => (
      <p key={status}>
        <strong>{status === 'default' ? 'Otherwise' : status}</strong> {description}{' '}
        {status !== 'default' && <code>{schemaText(schemaOf(content))}</code>}
      </p>
    ))}
  </details>
);

/** The HTTP API for people, from the same document that programs read. */
const DocsPage = () => {
  const { value, problem } = useAnswer<ApiDocument>('/openapi.json');
  return (
    <>
      <header class="top">
        <a class="brand" href="/">
          <img src="/assets/icon.svg" alt="" width="24" height="24" />
          Tallystick
        </a>
      </header>
      <main>
        <h1>HTTP API</h1>
        <ProblemNotice problem={problem} />
        {value === undefined && problem === undefined && <Empty>Reading…</Empty>}
        {value !== undefined && (
          <>
            <p>
              {value.info.description} Version {value.info.version}.{' '}
              <a href="/openapi.json">OpenAPI document</a>
            </p>
            {[...listed(value)].map(([tag, operations]) => (
              <section key={tag} aria-labelledby={`tag-${tag}`}>
                <h2 id={`tag-${tag}`}>{tag}</h2>
                {operations.map((each) => (
                  <OperationCard key={each.operation.operationId} {...each} />
                ))}
              </section>
            ))}
          </>
        )}
      </main>
    </>
  );
};

render(<DocsPage />, document.getElementById('app') as HTMLElement);

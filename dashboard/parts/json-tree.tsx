import type { ComponentChildren } from 'preact';

interface TreeProps {
  readonly value: unknown;
  /** Paths that are marked: what a record changed. */
  readonly marked?: ReadonlySet<string>;
  readonly path?: string;
  readonly name?: string;
  /** Levels that are open at first. */
  readonly open?: number;
}

const Leaf = ({ value }: { readonly value: unknown }) => {
  const kind = value === null ? 'null' : typeof value;
  return <span class={`json-${kind}`}>{kind === 'string' ? JSON.stringify(value) : String(value)}</span>;
};

const Key = ({ name }: { readonly name: string | undefined }) =>
  name === undefined ? null : <span class="json-key">{name}: </span>;

const Marked = ({ is, children }: { readonly is: boolean; readonly children: ComponentChildren }) => (
  <span class={is ? 'marked' : ''}>{is ? <mark>{children}</mark> : children}</span>
);

const hintOf = (value: object): string => {
  if (Array.isArray(value)) return `list of ${value.length}`;
  const { length } = Object.keys(value);
  return length === 1 ? '1 member' : `${length} members`;
};

/** JSON as a tree that opens and closes. All of it is text. */
export const JsonTree = ({ value, marked, path = '', name, open = 3 }: TreeProps) => {
  const isMarked = marked?.has(path) === true;
  if (typeof value !== 'object' || value === null)
    return (
      <Marked is={isMarked}>
        <Key name={name} />
        <Leaf value={value} />
      </Marked>
    );
  const members = Object.entries(value);
  if (members.length === 0)
    return (
      <Marked is={isMarked}>
        <Key name={name} />
        {Array.isArray(value) ? '[]' : '{}'}
      </Marked>
    );
  return (
    <details open={open > 0} class="json">
      <summary>
        <Key name={name} />
        <span class="json-hint">{hintOf(value)}</span>
      </summary>
      <ul>
        {members.map(([key, member]) => (
          <li key={key}>
            <JsonTree
              value={member}
              name={key}
              path={`${path}/${key}`}
              open={open - 1}
              {...(marked === undefined ? {} : { marked })}
            />
          </li>
        ))}
      </ul>
    </details>
  );
};

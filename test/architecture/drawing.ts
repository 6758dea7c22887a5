import { type Arrows, arrowsBetween, folderOf, reduced, roomOf } from './arrows.js';
import type { PackageJson, SourceFile } from './imports.js';

const BEGIN = '<!-- rooms:begin -->';
const END = '<!-- rooms:end -->';

/** A flowchart of arrows, from the top down, in an order that does not depend on that of the files. */
const flowchart = (arrows: Arrows): string => {
  const id = (node: string): string => node.replaceAll(/[^a-z]/g, '_');
  const names = [...new Set([...arrows].flatMap(([from, to]) => [from, ...to]))].toSorted();
  const lines = [...reduced(arrows)]
    .flatMap(([from, to]) => [...to].map((node) => `  ${id(from)} --> ${id(node)}`))
    .toSorted();
  return [
    '```mermaid',
    'flowchart TD',
    ...names.map((name) => `  ${id(name)}[${name}]`),
    ...lines,
    '```',
  ].join('\n');
};

/** The drawings of docs/internals/architecture.md, made from the imports. */
export const drawings = (files: readonly SourceFile[], own: PackageJson): string => {
  const within = (room: string): Arrows =>
    arrowsBetween(files, own, (path) =>
      roomOf(path) === room && folderOf(path) !== room ? folderOf(path) : undefined,
    );
  return [
    'An arrow says: imports. An arrow that a longer way says already is left out. The drawings are made from the imports by',
    '`node dist/test/architecture/draw.js`, and a test fails if they are not those of today.',
    '',
    flowchart(arrowsBetween(files, own, roomOf)),
    '',
    'The folders of the broker:',
    '',
    flowchart(within('broker')),
    '',
    'The folders of the journal:',
    '',
    flowchart(within('journal')),
  ].join('\n');
};

/** The document with these drawings in their place. Throws where it has no place for them. */
export const withDrawings = (document: string, text: string): string => {
  const from = document.indexOf(BEGIN);
  const to = document.indexOf(END);
  if (from < 0 || to < from) throw new Error(`no ${BEGIN} … ${END}`);
  return `${document.slice(0, from)}${BEGIN}\n\n${text}\n\n${document.slice(to)}`;
};

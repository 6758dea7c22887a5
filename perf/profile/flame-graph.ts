import { formatNumber } from '../../text/numbers.js';
import { escapeXml } from '../../text/xml.js';
import { type SampledStacks, wholeTime } from './sampled-stacks.js';

const WIDTH = 1_200;
const ROW = 17;
const TOP = 44;
/** A narrower frame is not drawn, pixels. */
const LEAST = 0.4;
/** Of a letter, about. */
const LETTER = 6.6;
const SHADES = 7;

const STYLE = `
  text { font: 11px ui-monospace, monospace; fill: #1f2328; pointer-events: none }
  .title { font: 600 15px system-ui, sans-serif }
  .note { font: 12px system-ui, sans-serif; fill: #59636e }
  rect:hover { stroke: #1f2328 }
  ${Array.from({ length: SHADES }, (_, i) => `.f${i} { fill: hsl(${18 + i * 5} 90% ${66 + (i % 3) * 4}%) }`).join('\n  ')}
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117 }
    .title { fill: #f0f6fc }
    .note { fill: #9198a1 }
    rect:hover { stroke: #f0f6fc }
  }
`;

interface Frame {
  us: number;
  readonly inner: Map<string, Frame>;
}

const newFrame = (): Frame => ({ us: 0, inner: new Map() });

const treeOf = (stacks: SampledStacks): Frame => {
  const root = newFrame();
  for (const [stack, us] of stacks) {
    let at = root;
    at.us += us;
    for (const name of stack.split(';')) {
      let next = at.inner.get(name);
      if (next === undefined) {
        next = newFrame();
        at.inner.set(name, next);
      }
      next.us += us;
      at = next;
    }
  }
  return root;
};

interface Box {
  readonly name: string;
  readonly us: number;
  readonly x: number;
  readonly width: number;
  readonly depth: number;
}

/** Where each frame is. Not recursive: stacks can be deep. */
const boxesOf = (root: Frame): readonly Box[] => {
  const scale = WIDTH / Math.max(1, root.us);
  const boxes: Box[] = [];
  const left: { readonly frame: Frame; readonly x: number; readonly depth: number }[] = [
    { frame: root, x: 0, depth: 0 },
  ];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    let { x } = next;
    for (const [name, frame] of [...next.frame.inner].toSorted(([, a], [, b]) => b.us - a.us)) {
      const width = frame.us * scale;
      if (width >= LEAST) {
        boxes.push({ name, us: frame.us, x, width, depth: next.depth });
        left.push({ frame, x, depth: next.depth + 1 });
      }
      x += width;
    }
  }
  return boxes;
};

const shadeOf = (name: string): number => {
  let hash = 0;
  for (const letter of name) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 997;
  return hash % SHADES;
};

/**
 * A flame graph as one file of SVG that needs nothing else: the outermost function below, each as wide as its share of
 * the processor time. Point at a frame to read its name and time.
 */
export const flameGraph = (title: string, stacks: SampledStacks): string => {
  const whole = wholeTime(stacks);
  const boxes = boxesOf(treeOf(stacks));
  const deepest = Math.max(0, ...boxes.map(({ depth }) => depth));
  const height = TOP + (deepest + 1) * ROW + 8;
  const rows = boxes.map(({ name, us, x, width, depth }) => {
    const y = TOP + (deepest - depth) * ROW;
    const letters = Math.floor((width - 4) / LETTER);
    const label =
      letters < 3
        ? ''
        : `<text x="${(x + 3).toFixed(1)}" y="${y + 12}">${escapeXml(name.slice(0, letters))}</text>`;
    const about = `${name}: ${formatNumber(us / 1_000, 1)} ms, ${((100 * us) / whole).toFixed(1)} %`;
    return `<rect class="f${shadeOf(name)}" x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${ROW - 1}"><title>${escapeXml(about)}</title></rect>${label}`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<style>${STYLE}</style>`,
    `<text class="title" x="4" y="18">${escapeXml(title)}</text>`,
    `<text class="note" x="4" y="36">${formatNumber(whole / 1_000_000, 2)} s in samples; each frame is as wide as its share</text>`,
    ...rows,
    '</svg>',
    '',
  ].join('\n');
};

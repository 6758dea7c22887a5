import type { BurstView } from '../../perf/burst/burst-progress.js';
import type { BurstNews, LoadMoment } from '../../schemas/burst.js';
import { formatNumber } from '../../text/numbers.js';

const line = (moment: LoadMoment, before: LoadMoment | undefined, part: string): string => {
  const perSecond = (of: (each: LoadMoment) => number): string =>
    before === undefined
      ? '-'
      : formatNumber(((of(moment) - of(before)) * 1_000) / (moment.atMs - before.atMs));
  const p99 = moment.p99Ms === null ? '-' : `${formatNumber(moment.p99Ms)} ms`;
  return [
    `${(moment.atMs / 1_000).toFixed(1).padStart(5)} s  ${part.padEnd(11)}`,
    `offered ${perSecond(({ offered }) => offered).padStart(7)}/s`,
    `acknowledged ${perSecond(({ acked }) => acked).padStart(7)}/s`,
    `delivered ${perSecond(({ delivered }) => delivered).padStart(7)}/s`,
    `backlog ${formatNumber(moment.backlog).padStart(9)}`,
    `p99 ${p99}`,
  ].join('  ');
};

/** Tells the load to a program, on stderr: one JSON object a line. */
export const burstNews = (stream: NodeJS.WritableStream = process.stderr): BurstView => {
  const tell = (news: BurstNews): void => void stream.write(`${JSON.stringify(news)}\n`);
  return {
    stage: (stage) => tell({ stage }),
    fault: (fault) => tell({ fault }),
    moment: (moment, part) => tell({ moment, part }),
  };
};

/** Shows the load while it runs, on stderr: one line that changes on a terminal, else one line each second. */
export const burstView = (quiet: boolean, stream = process.stderr): BurstView => {
  const { isTTY } = stream;
  let before: LoadMoment | undefined;
  let printedAt = 0;
  const say = (text: string): void => {
    stream.write(isTTY ? `\r\u001b[K${text}\n` : `${text}\n`);
  };
  return {
    stage: (text) => {
      before = undefined;
      printedAt = 0;
      if (!quiet) say(text);
    },
    fault: (text) => {
      if (!quiet) say(`--- ${text}`);
    },
    moment: (moment, part) => {
      const shown = line(moment, before, part);
      if (isTTY && !quiet) stream.write(`\r\u001b[K${shown.slice(0, (stream.columns ?? 160) - 1)}`);
      else if (!quiet && moment.atMs - printedAt >= 1_000) {
        printedAt = moment.atMs;
        say(shown);
        before = moment;
      }
      if (isTTY) before = moment;
    },
  };
};

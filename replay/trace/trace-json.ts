import type { Payload } from '../../schemas/payload.js';
import { findingsOf } from './trace-findings.js';
import { timesOf } from './times.js';
import type { ReadTrace } from './read-trace.js';
import type { Trace, TraceNode } from './conversation-trace.js';
import { type WalkStep, walk, type WalkOptions } from './walk.js';

const us = (ms: number): number => Math.round(ms * 1_000) / 1_000;
const usOrNull = (ms: number | null): number | null => (ms === null ? null : us(ms));

/** Fields of an object that is JSON, which it is written with as it was stored; with the comma before each. */
const payloadFields = (form: string, data: string, payload: Payload | null): string =>
  payload === null
    ? `,"${form}":null,"${data}":null`
    : `,"${form}":"${payload.form}","${data}":${payload.json}`;

const handlingOf = ({ handling }: TraceNode): object => {
  if (handling === null) return {};
  const { result, outcome, error, tookMs, waitedMs, waitedFor, callsMs, ownMs, copiesMs, dead, missing } =
    handling;
  const times = { tookMs: usOrNull(tookMs), waitedMs: us(waitedMs), waitedFor, callsMs: us(callsMs) };
  const end = { ownMs: usOrNull(ownMs), copiesMs: us(copiesMs), dead, missing };
  return { outcome, error, result: result?.seq ?? null, ...times, ...end };
};

const headOf = (node: TraceNode): string => {
  const { record, role, atMs, problem, size } = node;
  const { seq, time, kind, subject, module, name, agent, sender, id, cause, part, call, redrives } = record;
  const who = { seq, time, kind, subject, module, name, agent, sender, id, cause };
  const place = {
    role,
    call,
    part: part?.i ?? null,
    redrives,
    schedule: record.schedule,
    event: record.event,
    deadline: record.deadline,
  };
  const whole = { ...who, ...place, atMs: us(atMs), ...handlingOf(node), problem, size };
  const result = node.handling === null ? '' : payloadFields('resultForm', 'resultData', node.handling.data);
  return `${JSON.stringify(whole).slice(0, -1)}${result}${payloadFields('form', 'data', record.payload)}`;
};

/** Written piece by piece: JSON.stringify cannot go as deep as conversations can. */
const treeText = (steps: Iterable<WalkStep>): string => {
  const pieces: string[] = ['['];
  let isFirst = true;
  const between = (): string => (isFirst ? '' : ',');
  for (const step of steps) {
    if (step.kind === 'node') {
      pieces.push(between(), headOf(step.node), ',"children":[');
      isFirst = true;
      continue;
    }
    pieces.push(step.kind === 'more' ? `${between()}{"more":${step.records}}` : ']}');
    isFirst = false;
  }
  pieces.push(']');
  return pieces.join('');
};

/** A trace as one object: facts, findings, times by action, and the tree, where `{"more": n}` stands for n records. */
export const traceJson = (trace: Trace | ReadTrace, options: WalkOptions = {}): string => {
  const { conversation, records, commands, outcomes, began, spanMs, roots } = trace;
  const facts = {
    conversation,
    records,
    commands,
    outcomes,
    began,
    spanMs: us(spanMs),
    ...('read' in trace ? { read: trace.read } : {}),
    findings: findingsOf(trace),
    times: timesOf(trace).map((time) => ({
      ...time,
      waitedMs: us(time.waitedMs),
      callsMs: us(time.callsMs),
      ownMs: us(time.ownMs),
      copiesMs: us(time.copiesMs),
    })),
  };
  return `${JSON.stringify(facts).slice(0, -1)},"tree":${treeText(walk(roots, options))}}`;
};

import { cpus, release } from 'node:os';
import type { Clock } from './clock.ts';

/** On what times were measured, and by which clock. */
export interface MeasuredHost {
  /** Day, as `2026-11-22`. */
  readonly date: string;
  readonly node: string;
  readonly os: string;
  readonly cpu: string;
  readonly nCpus: number;
  /** `thread`: processor time of the thread; `wall`: the clock. */
  readonly clock: Clock['kind'];
}

/** This host, today. */
export function measuredHost(clock: Clock): MeasuredHost {
  return {
    date: new Date().toISOString().slice(0, 10),
    node: process.versions.node,
    os: `${process.platform} ${release()}`,
    cpu: cpus()[0]?.model.trim() ?? process.arch,
    nCpus: cpus().length,
    clock: clock.kind,
  };
}

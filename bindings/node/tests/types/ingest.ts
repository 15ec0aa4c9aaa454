// Lines by the thousand, as users write them in TypeScript.

import { Engine, Rules } from 'liveops'
import type { Ingest, Outcome, Outcomes } from 'liveops'

const engine = new Engine(Rules.fromJson('{}'))
const spread: Ingest = { now: new Date(), threads: 2 }

export const at: Outcomes = engine.submitNdjson(new Uint8Array(1), { nowMs: 1, threads: 4n })
export const later: Promise<Outcomes> = engine.submitNdjsonAsync('{}', spread)
export const alone: Promise<Outcomes> = engine.submitNdjsonAsync(new ArrayBuffer(1), { threads: 8 })
export const rows: Outcome[] = at.slice(-2).concat(at.slice(), at.slice(0, 1))
export const applied: number | undefined = at.counts().applied

// @ts-expect-error a number of threads is a number
engine.submitNdjson('', { threads: '2' })
// @ts-expect-error there is one present
void engine.submitNdjsonAsync('', { nowMs: 1, now: new Date(), threads: 2 })
// @ts-expect-error commands are decided on one thread
engine.submitBatch([], { threads: 2 })

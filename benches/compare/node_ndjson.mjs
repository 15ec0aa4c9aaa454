// node.ndjson: unsigned NDJSON parsed, decided and committed, against JSON.parse and ajv on the same bytes.
//
// Prints one JSON line; `cargo xtask compare node` starts it. Both sides get one Buffer of 20,000 lines, one after the
// other, in one process. Ours ends with every event committed to an engine; the peer's with every event as a checked object.

import Ajv from 'ajv'
import { Engine, Rules } from '../../bindings/node/index.mjs'
import { NOW_MS, Stopwatch, median, printRow, traffic } from './measure.mjs'

const EVENTS = 20_000
const ROUNDS = 9

const RULES = {
  version: 1,
  game: 'bench',
  progress: {
    curve: { kind: 'exponential', base: 250, growth: '1.2', rounding: 'floor', maxLevel: 60 },
    atMaxLevel: 'bank',
    xp: [{ on: 'progression', amount: { field: 'deltaXp' } }],
  },
  calendar: { utcOffsetMinutes: 0, resetMinute: 0, graceSeconds: 3600, seasons: { every: 'month', label: 'YYYY-MM' } },
  boards: {
    xp: { value: 'grantedXp', operator: 'incr', order: 'desc', keepPeriods: { daily: 2, weekly: 8, seasonal: 4 } },
  },
}

// The peer as a careful user would write it: the schema compiled once, first error ends it (ajv's default, and its fastest).
const id = { type: 'string', pattern: '^[\\x21-\\x7e]{1,64}$' }
const validate = new Ajv().compile({
  type: 'object',
  properties: {
    id,
    type: { const: 'progression' },
    playerId: id,
    ts: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
    payload: {
      type: 'object',
      properties: { deltaXp: { type: 'integer', minimum: 0, maximum: 1_000_000 }, activity: id, zone: id },
      required: ['deltaXp'],
      additionalProperties: false,
    },
  },
  required: ['type', 'playerId', 'ts', 'payload'],
  additionalProperties: false,
})

/** One string, cut into lines: quicker than decoding each line by itself. */
function peer (data) {
  const events = []
  for (const line of data.toString('utf8').split('\n')) {
    const event = JSON.parse(line)
    if (!validate(event)) throw new Error('the peer refuses an event')
    events.push(event)
  }
  return events
}

const data = traffic(EVENTS)
const rules = Rules.fromJson(JSON.stringify(RULES))
const stopwatch = new Stopwatch()
const ours = []
const peers = []
for (let n = 0; n <= ROUNDS; n++) {
  const engine = new Engine(rules)
  const [cost, outcomes] = stopwatch.time(() => engine.submitNdjson(data, { nowMs: NOW_MS }))
  const [peerCost, parsed] = stopwatch.time(() => peer(data))
  if (n === 0) { // Not counted: code is compiled, and both sides show that they did the whole work.
    const other = outcomes.find((outcome) => outcome.status !== 'applied')
    if (outcomes.length !== EVENTS || other) throw new Error(`node.ndjson: ${other?.status}: not all were applied`)
    if (parsed.length !== EVENTS) throw new Error('the peer lost events')
    continue
  }
  ours.push(cost / EVENTS)
  peers.push(peerCost / EVENTS)
}
printRow(stopwatch, { name: 'node.ndjson', ours: median(ours), peer: median(peers) })

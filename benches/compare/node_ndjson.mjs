// node.ndjson: unsigned NDJSON parsed, decided and committed, against JSON.parse and ajv on the same bytes.
//
// Prints one JSON line; `cargo xtask compare node` starts it. Both sides get one Buffer of 20,000 lines, one after the
// other, in one process. Ours ends with every event committed to an engine; the peer's with every event as a checked object.

import { readFileSync } from 'node:fs'
import Ajv from 'ajv'
import { Engine, Rules } from '../../bindings/node/index.mjs'

const NOW_MS = 1_767_614_400_000 // 2026-01-05T12:00:00Z
const EVENTS = 20_000
const PLAYERS = 10_000
const EVENT_BYTES = 206
const ROUNDS = 9
const WAIT_PERCENT_MAX = 3

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

/** 20,000 different events of 206 bytes, two for each of 10,000 players. */
function traffic () {
  const hex = (value, digits) => value.toString(16).padStart(digits, '0')
  const lines = []
  for (let n = 0; n < EVENTS; n++) {
    const first = Math.imul(n, 2654435761) >>> 0
    const event = {
      id: `${hex(first, 8)}-${hex(n % 65536, 4)}-4${hex(n % 4096, 3)}-a${hex(n * 7 % 4096, 3)}-${hex(n, 12)}`,
      type: 'progression',
      playerId: `player-${String(n * 7919 % PLAYERS).padStart(6, '0')}`,
      ts: NOW_MS / 1000,
      payload: { deltaXp: 50, activity: 'dungeon', zone: '' },
    }
    const missing = EVENT_BYTES - JSON.stringify(event).length
    event.payload.zone = 'emberfall/ashen-reach/lower-vault/antechamber'.slice(0, missing)
    const line = JSON.stringify(event)
    if (line.length !== EVENT_BYTES) throw new Error(`an event of ${line.length} bytes`)
    lines.push(line)
  }
  return Buffer.from(lines.join('\n'))
}

/** How long this thread has waited for a processor; NaN where the kernel does not tell. */
function waitedNs () {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1])
  } catch {
    return NaN
  }
}

let wallNs = 0
let waitNs = 0

/** The cost of one event, and what came of it. Garbage of the round before is collected first (`--expose-gc`). */
function time (work) {
  globalThis.gc?.()
  const waited = waitedNs()
  const begun = process.hrtime.bigint()
  const result = work()
  const wall = Number(process.hrtime.bigint() - begun)
  waitNs += waitedNs() - waited
  wallNs += wall
  return [wall / EVENTS, result]
}

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

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1]
const rounded = (value, digits) => Number(value.toFixed(digits))

const data = traffic()
const rules = Rules.fromJson(JSON.stringify(RULES))
const ours = []
const peers = []
for (let n = 0; n <= ROUNDS; n++) {
  const engine = new Engine(rules)
  const [cost, outcomes] = time(() => engine.submitNdjson(data, { nowMs: NOW_MS }))
  const [peerCost, parsed] = time(() => peer(data))
  if (n === 0) { // Not counted: code is compiled, and both sides show that they did the whole work.
    const other = outcomes.find((outcome) => outcome.status !== 'applied')
    if (outcomes.length !== EVENTS || other) throw new Error(`node.ndjson: ${other?.status}: not all were applied`)
    if (parsed.length !== EVENTS) throw new Error('the peer lost events')
    continue
  }
  ours.push(cost)
  peers.push(peerCost)
}

const waitPercent = 100 * waitNs / wallNs
console.log(JSON.stringify({
  name: 'node.ndjson',
  ours: rounded(median(ours), 1),
  peer: rounded(median(peers), 1),
  ratio: rounded(median(peers) / median(ours), 2),
  unit: 'ns/event',
  wait_percent: Number.isNaN(waitPercent) ? null : rounded(waitPercent, 2),
  void: !(waitPercent <= WAIT_PERCENT_MAX),
}))

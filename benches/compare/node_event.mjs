// event.parse.ajv: bodies checked from bytes, against JSON.parse and ajv, and for the record against zod.
//
// Prints one JSON line; `cargo xtask compare event` starts it. Both sides get one Buffer of 1,000 lines of 206 bytes, many
// times a round, by turns, in one process. Ours ends with how many are events; what JSON.parse makes are objects anyway.
// `ours as objects` makes them too, by a call for each line.

import Ajv from 'ajv'
import * as z from 'zod'
import { EventParser } from '../../bindings/node/index.mjs'
import { NOW_MS, Stopwatch, median, printRow, traffic } from './measure.mjs'

const EVENTS = 1000
const BATCHES = 50
const ROUNDS = 9

const SECONDS = NOW_MS / 1000
const [EARLIEST, LATEST] = [SECONDS - 86_400, SECONDS + 300]
const DELTA_XP = [0, 1_000_000]
/** Each type's fields: those that must be there, then those that may; a range of integers, or an id. */
const TYPES = {
  progression: [{ deltaXp: DELTA_XP }, { activity: 'id', zone: 'id' }],
  boss_kill: [
    { bossId: 'id', durationMs: [1, 86_400_000] },
    { difficulty: 'id', partySize: [1, 100], damage: [0, Number.MAX_SAFE_INTEGER], deltaXp: DELTA_XP, activity: 'id' },
  ],
  drop_claimed: [
    { dropId: 'id', itemId: 'id', quantity: [1, 10_000] },
    { sourceBossId: 'id', rarity: 'id', deltaXp: DELTA_XP, activity: 'id' },
  ],
}

/** The three types as one schema that looks at `type` first, compiled once. Lengths count code units, which is ajv's cheapest way. */
function ajv (idForm) {
  const id = { type: 'string', minLength: 1, maxLength: 64, ...idForm }
  const property = (kind) => kind === 'id' ? id : { type: 'integer', minimum: kind[0], maximum: kind[1] }
  const properties = (fields) => Object.fromEntries(Object.entries(fields).map(([name, kind]) => [name, property(kind)]))
  const object = (required, optional) => ({
    type: 'object',
    properties: { ...properties(required), ...properties(optional) },
    required: Object.keys(required),
    additionalProperties: false,
  })
  const oneOf = Object.entries(TYPES).map(([type, [required, optional]]) => ({
    properties: {
      id, type: { const: type }, playerId: id, ts: property([EARLIEST, LATEST]), payload: object(required, optional),
    },
    required: ['type', 'playerId', 'ts', 'payload'],
    additionalProperties: false,
  }))
  const schema = { type: 'object', discriminator: { propertyName: 'type' }, required: ['type'], oneOf }
  return new Ajv({ discriminator: true, unicode: false, logger: false }).compile(schema)
}

function zod () {
  const id = z.string().min(1).max(64)
  const property = (kind) => kind === 'id' ? id : z.int().min(kind[0]).max(kind[1])
  const properties = (fields, wrap) => Object.fromEntries(Object.entries(fields).map(([name, kind]) => [name, wrap(property(kind))]))
  const schema = z.discriminatedUnion('type', Object.entries(TYPES).map(([type, [required, optional]]) => z.strictObject({
    id: id.optional(),
    type: z.literal(type),
    playerId: id,
    ts: property([EARLIEST, LATEST]),
    payload: z.strictObject({ ...properties(required, (kind) => kind), ...properties(optional, (kind) => kind.optional()) }),
  })))
  return (event) => schema.safeParse(event).success
}

/** How many lines are events. One string, cut into lines: quicker than decoding each line by itself. */
const byPeer = (validate) => (data) => {
  let accepted = 0
  for (const line of data.toString().split('\n')) if (validate(JSON.parse(line))) accepted++
  return accepted
}

const parser = new EventParser()
const at = { nowMs: NOW_MS }

function asObjects (data) {
  let accepted = 0
  for (let from = 0; from < data.length;) {
    const end = data.indexOf(10, from)
    const until = end < 0 ? data.length : end
    if (parser.parse(data.subarray(from, until), at).type === 'progression') accepted++
    from = until + 1
  }
  return accepted
}

const SIDES = {
  ours: (data) => parser.validateBatch(data, at).accepted,
  ajv: byPeer(ajv({})),
  'ajv with pattern': byPeer(ajv({ pattern: '^[!-~]+$' })),
  zod: byPeer(zod()),
  'ours as objects': asObjects,
}

const data = traffic(EVENTS)
const stopwatch = new Stopwatch()
const costs = Object.fromEntries(Object.keys(SIDES).map((name) => [name, []]))

/** What all sides refuse, so that they are as strict; the pattern apart. */
function checkStrictness () {
  const good = JSON.parse(data.toString().split('\n', 1)[0])
  const { zone, ...payload } = good.payload
  const kill = { bossId: 'hydra', durationMs: 1 }
  const as = (type, payload) => ({ ...good, type, payload })
  const taken = [good, { ...good, payload }, as('boss_kill', kill), as('drop_claimed', { dropId: 'a', itemId: 'b', quantity: 1 }), { ...good, id: undefined }]
  const refused = [
    { ...good, id: '' }, { ...good, id: 'x'.repeat(65) }, { ...good, playerId: 7 }, { ...good, more: 1 }, { ...good, type: 'other' },
    { ...good, type: undefined }, { ...good, ts: EARLIEST - 1 }, { ...good, ts: LATEST + 1 }, { ...good, ts: SECONDS + 0.5 },
    { ...good, payload: { ...payload, deltaXp: -1 } }, { ...good, payload: { ...payload, deltaXp: 1_000_001 } }, { ...good, payload: { zone } },
    { ...good, payload: { ...payload, more: 1 } }, { ...good, payload: [] }, as('boss_kill', payload), as('boss_kill', { ...kill, partySize: 101 }),
  ]
  for (const [events, wanted] of [[taken, 1], [refused, 0]]) {
    for (const event of events) {
      const line = Buffer.from(JSON.stringify(event))
      for (const name of ['ours', 'ajv', 'ajv with pattern', 'zod']) {
        if (SIDES[name](line) !== wanted) throw new Error(`${name} disagrees about ${line}`)
      }
    }
  }
}
checkStrictness()

for (let n = 0; n <= ROUNDS; n++) {
  for (const [name, side] of Object.entries(SIDES)) {
    const round = () => {
      let accepted = 0
      for (let batch = 0; batch < BATCHES; batch++) accepted += side(data)
      return accepted
    }
    const [cost, accepted] = (n === 0 ? new Stopwatch() : stopwatch).time(round) // The first is not counted: code is compiled.
    if (accepted !== EVENTS * BATCHES) throw new Error(`${name} refuses events`)
    if (n > 0) costs[name].push(cost / (EVENTS * BATCHES))
  }
}

const { ours, ajv: peer, ...others } = Object.fromEntries(Object.entries(costs).map(([name, values]) => [name, median(values)]))
const more = Object.fromEntries(Object.entries(others).flatMap(([name, cost]) =>
  name.startsWith('ours') ? [[name, cost]] : [[`peer ${name}`, cost], [`ratio ${name}`, cost / ours]]))
printRow(stopwatch, { name: 'event.parse.ajv', ours, peer, more })

// What the rows of ingesting share: the game, and the peer on the same bytes.

import Ajv from 'ajv'
import { Rules } from '../../bindings/node/index.mjs'

/** Events of a round: more than there are players. */
export const EVENTS = 20_000

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

/** Every event as a checked object. One string, cut into lines: quicker than decoding each line by itself. */
export function checked (data) {
  const events = []
  for (const line of data.toString('utf8').split('\n')) {
    const event = JSON.parse(line)
    if (!validate(event)) throw new Error('the peer refuses an event')
    events.push(event)
  }
  return events
}

export const rules = Rules.fromJson(JSON.stringify(RULES))

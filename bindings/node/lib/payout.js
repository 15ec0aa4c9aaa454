'use strict'
// Tiers, and who of a finished board gets what.

const { INTEGER_MAX, integer, kindOf, list, members, required, text } = require('./arguments.js')
const { makeCommand } = require('./command.js')
const { argumentError, call } = require('./errors.js')
const { read } = require('./json.js')
const { handleOf, hold, native } = require('./native.js')

/** `{ tier, ranks: [from, through] }` or `{ tier, percent: '10' }`, in the order in which they are looked at. */
function tiersOf (tiers) {
  return list(tiers, 'tiers').map((given) => {
    const { tier, ranks, percent } = required(given, ['tier', 'ranks', 'percent'], 'a tier')
    if ((ranks === undefined) === (percent === undefined)) throw argumentError(TypeError, 'a tier has either ranks or a percent')
    const named = text(tier, 'tier')
    if (ranks === undefined) return { tier: named, percent: percentOf(percent), from: undefined, through: undefined }
    const ends = list(ranks, 'ranks')
    if (ends.length !== 2) throw argumentError(TypeError, 'ranks must be two, such as [1, 3]')
    const [from, through] = ends.map((rank) => integer(rank, 'a rank', 0, INTEGER_MAX))
    return { tier: named, percent: undefined, from, through }
  })
}

/** A decimal as text, as in the rules. */
function percentOf (percent) {
  if (typeof percent === 'string') return text(percent, 'percent')
  const hint = typeof percent === 'number' ? `; write '${percent}'` : ''
  throw argumentError(TypeError, `percent must be a string such as '10', not ${kindOf(percent)}${hint}`)
}

/** Who of a finished board's rows gets what: all of them, best first, as a page without an end gives them. */
function awards (rows, tiers) {
  const given = tiersOf(tiers)
  const owners = []
  const numbers = []
  for (const row of list(rows, 'rows')) {
    if (typeof row !== 'object' || row === null) throw argumentError(TypeError, `a row must be an object, not ${kindOf(row)}`)
    const { playerId, rank, score, subscore } = members(row, ['playerId', 'rank', 'score', 'subscore'], 'a row')
    const owner = text(playerId, 'playerId')
    owners.push(owner.includes('\n') ? ' ' : owner)
    numbers.push(integer(rank, 'rank', 1), integer(score, 'score'), integer(subscore, 'subscore'))
  }
  return read(call(() => native.awards(owners.join('\n'), Float64Array.from(numbers), given)))
}

/** A finished board on its way to being paid. */
class Payout {
  constructor (handle) {
    if (!(handle instanceof native.Payout)) throw argumentError(TypeError, 'a Payout comes from Engine.payout')
    hold(this, handle)
    Object.freeze(Object.assign(this, read(call(() => handle.describe()))))
  }

  /** One command for each award, in the same order: to be submitted until each is `applied` or `replayed`. */
  commands () {
    return call(() => handleOf(this, Payout).commands()).map((command) => makeCommand(() => command))
  }
}

module.exports = { Payout, awards, tiersOf }

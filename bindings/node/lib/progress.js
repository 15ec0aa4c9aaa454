'use strict'
// Experience by curve, cap and boosts; days in a row; XP beyond the highest level; and from one curve to another.

const { all, count, decimal, each, flag, handle, instant, integer, kindOf, list, now, options, required, settingsOf, text, word, INTEGER_MAX, TIME } = require('./arguments.js')
const { levelsOf, makeCurve } = require('./curve.js')
const { argumentError, call } = require('./errors.js')
const { read } = require('./json.js')
const { handleOf, hold, native } = require('./native.js')

const AT_MAX_LEVEL = ['bank', 'discard', 'convert']
const STACKINGS = ['multiply', 'add', 'highest']
const FLOORS = ['level', 'zero']
const POLICIES = ['keepTotalXp', 'keepLevelAndFraction', 'keepEffort']

const xpOf = (value, name) => integer(value, name, 0)

/** A curve, and the rules by which experience is granted. */
class Progression {
  constructor (curve, opts) {
    const { atMaxLevel, dailyXpCap, boosts, boostStacking, floor } = options(opts, ['atMaxLevel', 'dailyXpCap', 'boosts', 'boostStacking', 'floor'])
    const levels = levelsOf(curve, 'curve')
    const settings = {
      atMaxLevel: atMaxLevel === undefined ? 'bank' : word(atMaxLevel, 'atMaxLevel', AT_MAX_LEVEL),
      boostStacking: boostStacking === undefined ? 'multiply' : word(boostStacking, 'boostStacking', STACKINGS),
      dailyXpCap: dailyXpCap === undefined ? undefined : xpOf(dailyXpCap, 'dailyXpCap'),
      boosts: boosts === undefined ? [] : list(boosts, 'boosts').map(boostOf),
      floor: floor === undefined ? undefined : word(floor, 'floor', FLOORS)
    }
    hold(this, call(() => new native.Progression(levels, settings)))
  }

  /** The curve. */
  get curve () {
    return makeCurve(handleOf(this, Progression).curve())
  }

  /** What becomes of XP that is asked for at a time: `requested + boost - overDailyCap - overMaxLevel === granted`; then losses are taken. */
  grant (totalXp, requested, opts) {
    return settled(this, totalXp, requested, options(opts, ['grantedToday', 'losses', ...TIME])).grant
  }

  /** The same for one event after the other: `{ grant, remainders }`, where `remainders` are what boosts leave over, for next time. */
  settle (totalXp, requested, opts) {
    return settled(this, totalXp, requested, options(opts, ['grantedToday', 'losses', 'remainders', ...TIME]))
  }
}

function settled (progression, totalXp, requested, given) {
  const today = given.grantedToday === undefined ? 0 : xpOf(given.grantedToday, 'grantedToday')
  const losses = given.losses === undefined ? 0 : xpOf(given.losses, 'losses')
  const remainders = given.remainders === undefined ? [] : remaindersOf(given.remainders)
  const args = [xpOf(totalXp, 'totalXp'), today, xpOf(requested, 'requested'), losses, remainders, now(given)]
  return read(call(() => handleOf(progression, Progression).settle(...args)))
}

function remaindersOf (remainders) {
  // One more than there can be: the core says that it is too many.
  return list(remainders, 'remainders').slice(0, 5).map((one) => {
    const { factor, rest } = required(one, ['factor', 'rest'], 'a remainder')
    return { factor: text(factor, 'factor'), rest: xpOf(rest, 'rest') }
  })
}

function boostOf (boost) {
  const { id, from, until, factor } = required(boost, ['id', 'from', 'until', 'factor'], 'a boost')
  return { id: text(id, 'id'), from: instant(from, 'from'), until: instant(until, 'until'), factor: decimal(factor, 'factor') }
}

const makeProgression = (work) => hold(Object.create(Progression.prototype), call(work))

/** Days in a row, by the index of the day in a calendar. It never changes: `step` gives a new one. */
class Streak {
  constructor (state) {
    const { lastDay, length, longest } = options(settingsOf(state, Streak), ['lastDay', 'length', 'longest'], 'state')
    this.lastDay = lastDay === undefined ? 0 : integer(lastDay, 'lastDay')
    this.length = length === undefined ? 0 : count(length, 'length')
    this.longest = longest === undefined ? this.length : count(longest, 'longest', this.length)
    Object.freeze(hold(this, { ...this }))
  }

  /** Takes in a day: `{ streak, day }`. `day` says which of the streak it is, from 1; null if it has counted already. */
  step (day, opts) {
    const args = [handle(this, 'this', Streak), integer(day, 'day'), missedOf(opts)]
    const told = JSON.parse(call(() => native.streakStep(...args)))
    return Object.freeze({ streak: new Streak(told.streak), day: told.day })
  }

  /** Days in a row as they stand on a day: 0 once the streak cannot go on any more. */
  lengthOn (day, opts) {
    const args = [handle(this, 'this', Streak), integer(day, 'day'), missedOf(opts)]
    return call(() => native.streakLengthOn(...args))
  }
}

/** How many days may be missing between two that count. */
function missedOf (opts) {
  const { missedDaysMax } = options(opts, ['missedDaysMax'])
  return missedDaysMax === undefined ? 0 : count(missedDaysMax, 'missedDaysMax')
}

/** XP beyond the highest level, turned into units of something else. It never changes: `gather` gives a new one. */
class Overflow {
  constructor (state) {
    const { units, rest } = options(settingsOf(state, Overflow), ['units', 'rest'], 'state')
    this.units = units === undefined ? 0 : xpOf(units, 'units')
    this.rest = rest === undefined ? 0 : xpOf(rest, 'rest')
    Object.freeze(hold(this, { ...this }))
  }

  /** With more XP, and as many units as it gives, each for `every`. */
  gather (surplus, every) {
    const { units, rest } = handle(this, 'this', Overflow)
    const args = [units, rest, xpOf(surplus, 'surplus'), integer(every, 'every', 1)]
    return new Overflow(JSON.parse(call(() => native.overflowGather(...args))))
  }
}

/** What players keep when the curve changes. */
function policyOf (given) {
  const { policy, neverLoseALevel, skipRewards } = required(given, ['policy', 'neverLoseALevel', 'skipRewards'], 'policy')
  return {
    policy: word(policy, 'policy', POLICIES),
    neverLoseALevel: neverLoseALevel === undefined ? false : flag(neverLoseALevel, 'neverLoseALevel'),
    skipRewards: skipRewards === undefined ? false : flag(skipRewards, 'skipRewards')
  }
}

/** A total, or a total with the level up to which levels were rewarded: undefined for all that were reached. */
function playerOf (player, known) {
  if (typeof player !== 'object' || player === null) return { xp: xpOf(player, 'xp'), grantedThrough: undefined, players: 1 }
  const { xp, grantedThrough, players } = options(player, known, 'a player')
  return {
    xp: xpOf(xp, 'xp'),
    grantedThrough: grantedThrough === undefined ? undefined : count(grantedThrough, 'grantedThrough'),
    players: players === undefined ? 1 : integer(players, 'players', 0)
  }
}

/** A player after a change of curves: `{ xp, grantedThrough }`. */
function migrateXp (oldCurve, newCurve, policy, player) {
  const curves = [levelsOf(oldCurve, 'oldCurve'), levelsOf(newCurve, 'newCurve')]
  const keep = policyOf(policy)
  const { xp, grantedThrough } = playerOf(player, ['xp', 'grantedThrough'])
  return read(call(() => native.migrateXp(...curves, keep, xp, grantedThrough)))
}

/** What a change of curves would do to players, given one by one or as a histogram. An error says by `index` whose it is. */
function planMigration (oldCurve, newCurve, policy, players) {
  const curves = [levelsOf(oldCurve, 'oldCurve'), levelsOf(newCurve, 'newCurve')]
  const keep = policyOf(policy)
  if (typeof players?.[Symbol.iterator] !== 'function' || typeof players === 'string') {
    throw argumentError(TypeError, `players must be an iterable of XP totals or { xp, grantedThrough, players }, not ${kindOf(players)}`)
  }
  const numbers = []
  let total = 0
  each(all(players, 'players'), 'players', (player) => {
    const { xp, grantedThrough = -1, players } = playerOf(player, ['xp', 'grantedThrough', 'players'])
    total += players
    if (total > INTEGER_MAX) throw argumentError(RangeError, `players must be at most ${INTEGER_MAX} in all`, 'out_of_range')
    numbers.push(xp, grantedThrough, players)
  })
  return read(call(() => native.planMigration(...curves, keep, Float64Array.from(numbers))))
}

module.exports = { Overflow, Progression, Streak, makeProgression, migrateXp, planMigration }

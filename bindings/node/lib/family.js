'use strict'
// The whole family of detectors on one player, and what it has learned of the player.

const { AT, another, at, bytes, column, count, handle, kindOf, list, number, options, required, text } = require('./arguments.js')
const { argumentError, call } = require('./errors.js')
const { freeze, read } = require('./json.js')
const { handleOf, hold, native } = require('./native.js')
const { Population, tablesOf } = require('./population.js')
const { DETECTORS, named, thresholdsOf } = require('./thresholds.js')

/** What a family has learned of one player: 64 bytes, whatever there was to learn. */
class PlayerProfile {
  constructor (opts) {
    options(opts, [])
    hold(this, new native.PlayerProfile())
  }

  static fromBytes (content) {
    const given = bytes(content, 'bytes')
    return hold(Object.create(PlayerProfile.prototype), call(() => native.PlayerProfile.fromBytes(given)))
  }

  toBytes () {
    return handleOf(this, PlayerProfile).toBytes()
  }

  /** Two accounts that turn out to be one player. */
  merge (other) {
    const given = another(this, other, PlayerProfile)
    handleOf(this, PlayerProfile).merge(given)
  }

  /** What each detector has gathered against the player. */
  get scores () {
    return named(handleOf(this, PlayerProfile).scores())
  }

  /** Which detectors have alerted and not yet calmed down. */
  get alerted () {
    return freeze(handleOf(this, PlayerProfile).alerted())
  }
}

/** The detectors, configured once for all players. */
class Family {
  constructor (opts) {
    const { population, thresholds } = options(opts instanceof Population ? { population: opts } : opts, ['population', 'thresholds'])
    const args = [tablesOf(population), thresholdsOf(thresholds)]
    hold(this, call(() => new native.Family(...args)))
  }

  /** Makes a boss known, with the shortest possible duration if there is one. */
  boss (name, opts) {
    const { floorMs } = options(opts, ['floorMs'])
    const args = [text(name, 'name'), floorMs === undefined ? undefined : count(floorMs, 'floorMs', 1)]
    call(() => handleOf(this, Family).boss(...args))
    return this
  }

  /** Keeps an activity apart from all others that were named like this, where no population knows amounts. */
  keepApart (activity) {
    call(() => handleOf(this, Family).keepApart(text(activity, 'activity')))
    return this
  }

  /** Makes a drop known, with its published odds. */
  dropOdds (name, odds) {
    const args = [text(name, 'name'), number(odds, 'odds')]
    call(() => handleOf(this, Family).dropOdds(...args))
    return this
  }

  get thresholds () {
    return named(handleOf(this, Family).thresholds())
  }

  /** Scores an event, then learns it: the alerts that it causes, most often none. */
  observe (profile, event) {
    const args = [handle(profile, 'profile', PlayerProfile), eventOf(event)]
    return found(call(() => handleOf(this, Family).observe(...args)))
  }

  /** The same without learning. */
  score (profile, event) {
    const args = [handle(profile, 'profile', PlayerProfile), eventOf(event)]
    return found(call(() => handleOf(this, Family).score(...args)))
  }

  /** Many events of one player in columns, all of them or none. */
  observeMany (profile, columns) {
    const args = [handle(profile, 'profile', PlayerProfile), columnsOf(columns)]
    const { scores, findings } = call(() => handleOf(this, Family).observeMany(...args))
    return Object.freeze({ detectors: DETECTORS, scores, findings: read(findings) })
  }
}

const NOTHING = Object.freeze([])
const found = (told) => read(told) ?? NOTHING

function eventOf (event) {
  const { gain, kill, drops, ...time } = required(event, ['gain', 'kill', 'drops', ...AT], 'event')
  return {
    at: at(time),
    gain: gain === undefined ? undefined : gainOf(required(gain, ['activity', 'amount', 'boost'], 'gain')),
    kill: kill === undefined ? undefined : killOf(required(kill, ['boss', 'durationMs'], 'kill')),
    drops: drops === undefined ? undefined : dropsOf(required(drops, ['drop', 'chances', 'hits'], 'drops'))
  }
}

const gainOf = ({ activity, amount, boost }) => ({ activity: text(activity, 'activity'), amount: number(amount, 'amount'), boost: boost === undefined ? 1 : number(boost, 'boost') })
const killOf = ({ boss, durationMs }) => ({ boss: text(boss, 'boss'), durationMs: count(durationMs, 'durationMs', 1) })
const dropsOf = ({ drop, chances = 0, hits = 0 }) => ({ drop: text(drop, 'drop'), chances: count(chances, 'chances'), hits: count(hits, 'hits') })

/** Columns that belong together are given together. */
const GROUPS = [['activity', 'amount'], ['boss', 'durationMs'], ['drop', 'chances', 'hits']]

/** In the form of the addon. Numbers stay where they are. */
function columnsOf (columns) {
  const { atMs, activity, amount, boost, boss, durationMs, drop, chances, hits } =
    required(columns, ['atMs', 'boost', ...GROUPS.flat()], 'columns')
  const times = column(atMs, 'atMs', 'Float64Array', 'BigInt64Array')
  const given = { __proto__: null, activity, amount, boss, durationMs, drop, chances, hits }
  for (const group of GROUPS) {
    const there = group.filter((name) => given[name] !== undefined)
    if (there.length !== 0 && there.length !== group.length) throw argumentError(TypeError, `${group.join(', ')} are given together`)
  }
  if (boost !== undefined && amount === undefined) throw argumentError(TypeError, 'boost goes with amount')
  const { length } = times
  const long = (value, name, Class) => value === undefined ? undefined : sized(column(value, name, Class), name, length)
  return {
    at: times instanceof BigInt64Array ? undefined : times,
    atBig: times instanceof BigInt64Array ? times : undefined,
    activity: namesOf(activity, 'activity', length),
    amount: long(amount, 'amount', 'Float64Array'),
    boost: typeof boost === 'number' ? new Float64Array(length).fill(boost) : long(boost, 'boost', 'Float64Array'),
    boss: namesOf(boss, 'boss', length),
    durationMs: long(durationMs, 'durationMs', 'Uint32Array'),
    drop: namesOf(drop, 'drop', length),
    chances: long(chances, 'chances', 'Uint32Array'),
    hits: long(hits, 'hits', 'Uint32Array')
  }
}

function sized (value, name, length) {
  if (value.length === length) return value
  throw argumentError(RangeError, `${name} must be as many as atMs`)
}

/** One name for all events, or one for each: every name crosses once. */
function namesOf (value, name, length) {
  if (value === undefined) return undefined
  if (typeof value === 'string') return { names: [text(value, name)], places: undefined }
  if (!Array.isArray(value)) throw argumentError(TypeError, `${name} must be a string or an array of them, not ${kindOf(value)}`)
  const known = new Map()
  const places = Uint32Array.from(sized(list(value, name), name, length), (one, index) => {
    if (typeof one !== 'string' || !one.isWellFormed()) throw Object.assign(argumentError(TypeError, `${name} has ${kindOf(one)} in it that is no text`), { index })
    const place = known.get(one) ?? known.size
    known.set(one, place)
    return place
  })
  return { names: [...known.keys()], places }
}

module.exports = { Family, PlayerProfile }

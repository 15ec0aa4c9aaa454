'use strict'
// The rules document; calendars, which can be used without an engine.

const { readFileSync } = require('node:fs')
const { bytes, count, handle, instant, integer, kindOf, list, members, now, object, options, seed, since, text, word, TIME } = require('./arguments.js')
const { makeCurve } = require('./curve.js')
const { argumentError, call, RulesError } = require('./errors.js')
const { read } = require('./json.js')
const { makeLoot } = require('./loot.js')
const { handleOf, hold, native } = require('./native.js')
const { part } = require('./part.js')
const { Population } = require('./population.js')
const { makeProgression } = require('./progress.js')
const { calibrate, thresholdsOf } = require('./thresholds.js')

const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday']
const WINDOWS = ['daily', 'weekly', 'monthly', 'seasonal', 'allTime']

/** The game's rules: read once from one JSON document, then shared freely. */
class Rules {
  constructor () {
    throw argumentError(TypeError, 'Rules come from Rules.fromFile or Rules.fromJson')
  }

  /** Reads a rules document: its text or its UTF-8. Throws RulesError, which names the path of what is wrong. */
  static fromJson (document, opts) {
    const { lootSeed, population } = options(opts, ['lootSeed', 'population'])
    const secret = lootSeed === undefined ? undefined : seed(lootSeed, 'lootSeed')
    if (population !== undefined) handle(population, 'population', Population)
    const content = bytes(document, 'document')
    const rules = makeRules(() => native.Rules.parse(content, secret))
    return population === undefined ? rules : rules.withPopulation(population)
  }

  /** The same from a file; the message of a RulesError then begins with its name. */
  static fromFile (file, opts) {
    // A number would be read as an open file.
    if (!(file instanceof URL)) text(file, 'file')
    const content = readFileSync(file)
    try {
      return Rules.fromJson(content, opts)
    } catch (error) {
      if (error instanceof RulesError) error.message = `${file}: ${error.message}`
      throw error
    }
  }

  /** The game's name. */
  get game () {
    return handleOf(this, Rules).game
  }

  /** Hash over the document without the door. */
  get hash () {
    return handleOf(this, Rules).hash
  }

  /** Over all by which it decides: document, population, thresholds, and the commitment to the loot seed. */
  get identity () {
    return handleOf(this, Rules).identity
  }

  /** What in the document may be meant, or not: `{ path, code, message }` each. */
  warnings () {
    return read(handleOf(this, Rules).warnings())
  }

  /** What to publish before the first roll of loot: the hash of its seed; null without one. */
  get lootCommitment () {
    return handleOf(this, Rules).lootCommitment ?? null
  }

  /** The same rules, their families of detectors anchored on a population. */
  withPopulation (population) {
    const tables = handle(population, 'population', Population)
    return makeRules(() => handleOf(this, Rules).withPopulation(tables))
  }

  /** The same rules but for some thresholds of a family of detectors. */
  withThresholds (family, thresholds) {
    const args = [text(family, 'family'), thresholdsOf(object(thresholds, 'thresholds'))]
    return makeRules(() => handleOf(this, Rules).withThresholds(...args))
  }

  /** Thresholds for a family of detectors from lines of history, for a budget of false alerts. */
  calibrate (family, history, budget) {
    return calibrate(handleOf(this, Rules), family, history, budget)
  }

  /** What names the population; null without one. */
  get populationHash () {
    return handleOf(this, Rules).populationHash ?? null
  }

  /** Each board with its windows, and how many closed periods of each stay readable. */
  get boards () {
    return read(handleOf(this, Rules).boards())
  }

  /** The level curve. */
  get curve () {
    return makeCurve(handleOf(this, Rules).curve())
  }

  /** The curve with its cap and boosts. */
  get progression () {
    return makeProgression(() => handleOf(this, Rules).progression())
  }

  /** A loot table; null if there is none of this name. */
  loot (name) {
    const table = handleOf(this, Rules).loot(text(name, 'name')) ?? null
    return table === null ? null : makeLoot(() => table)
  }

  /** The calendar. */
  get calendar () {
    return hold(Object.create(Calendar.prototype), handleOf(this, Rules).calendar())
  }
}

const makeRules = (work) => hold(Object.create(Rules.prototype), call(work))

/** When periods begin and close; written as in a rules document. */
class Calendar {
  constructor (opts) {
    if (opts instanceof Calendar) {
      hold(this, handleOf(opts, Calendar))
      return
    }
    const known = ['utcOffsetMinutes', 'utcOffsetChanges', 'resetMinute', 'weekStart', 'graceSeconds', 'seasons']
    const calendar = options(opts, known, 'calendar')
    if (calendar.weekStart !== undefined) word(calendar.weekStart, 'weekStart', DAYS)
    for (const key of ['utcOffsetMinutes', 'resetMinute', 'graceSeconds']) {
      if (calendar[key] !== undefined) calendar[key] = integer(calendar[key], key)
    }
    if (calendar.utcOffsetChanges !== undefined) {
      calendar.utcOffsetChanges = list(calendar.utcOffsetChanges, 'utcOffsetChanges').map((change) => {
        const { from, minutes } = options(change, ['from', 'minutes'], 'a change')
        return { from: text(from, 'from'), minutes: integer(minutes, 'minutes') }
      })
    }
    hold(this, part({ calendar }).calendar())
  }

  /** The period that holds a time; null between seasons. */
  period (window, time) {
    return read(call(() => handleOf(this, Calendar).period(windowName(window), instant(time, 'time'))))
  }

  /** What is known of a period by its index. */
  describe (period) {
    const { window, index } = periodOf(period)
    return read(call(() => handleOf(this, Calendar).describe(window, index)))
  }

  /** `future`, `open`, `grace`, `sealed` or `dropped`. */
  state (period, keep, opts) {
    const { window, index } = periodOf(period)
    const time = now(options(opts, TIME))
    return read(call(() => handleOf(this, Calendar).state(window, index, count(keep, 'keep'), time)))
  }

  /** When the current period changes next, in milliseconds; null if never. */
  nextReset (window, opts) {
    const time = now(options(opts, TIME))
    return call(() => handleOf(this, Calendar).nextReset(windowName(window), time)) ?? null
  }

  /** Periods of some windows that close in `after < t <= through`, once and in order, made as they are taken. */
  closedBetween (windows, after, through) {
    const names = list(windows, 'windows').map(windowName)
    return taken(call(() => handleOf(this, Calendar).closings(names, since(after, 'after'), since(through, 'through'))))
  }
}

/** How many closings cross from the addon at a time. */
const CLOSINGS_TAKEN = 64

function * taken (closings) {
  for (;;) {
    const periods = read(call(() => closings.take(CLOSINGS_TAKEN)))
    yield * periods
    if (periods.length < CLOSINGS_TAKEN) return
  }
}

const windowName = (window) => word(window, 'window', WINDOWS, 'unknown_window')

/** `{ window, index }`, as periods are everywhere. */
function periodOf (period) {
  if (typeof period !== 'object' || period === null) throw argumentError(TypeError, `a period is { window, index }, not ${kindOf(period)}`)
  const { window, index } = members(period, ['window', 'index'], 'a period')
  return { window: windowName(window), index: integer(index, 'index') }
}

module.exports = { DECISIONS: native.DECISIONS, Rules, Calendar, taken, windowName, periodOf }

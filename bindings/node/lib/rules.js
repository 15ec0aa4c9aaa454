'use strict'
// The rules document; curves and calendars, which can be used without an engine.

const { readFileSync } = require('node:fs')
const { bytes, count, handle, instant, integer, kindOf, list, now, options, text, word, TIME } = require('./arguments.js')
const { argumentError, call, RulesError } = require('./errors.js')
const { read } = require('./json.js')
const { handleOf, hold, native } = require('./native.js')

const WINDOWS = ['daily', 'weekly', 'monthly', 'seasonal', 'allTime']

/** The game's rules: read once from one JSON document, then shared freely. */
class Rules {
  constructor () {
    throw argumentError(TypeError, 'Rules come from Rules.fromFile or Rules.fromJson')
  }

  /** Reads a rules document: its text or its UTF-8. Throws RulesError, which names the path of what is wrong. */
  static fromJson (document, opts) {
    const seed = seedOf(opts)
    const content = bytes(document, 'document')
    return hold(Object.create(Rules.prototype), call(() => native.Rules.parse(content, seed)))
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
    return handleOf(this).game
  }

  /** Hash over the document without the door. */
  get hash () {
    return handleOf(this).hash
  }

  /** Each board with its windows, and how many closed periods of each stay readable. */
  get boards () {
    return read(handleOf(this).boards())
  }

  /** The level curve. */
  get curve () {
    return hold(Object.create(LevelCurve.prototype), { compiled: handleOf(this).curve() })
  }

  /** The calendar. */
  get calendar () {
    return hold(Object.create(Calendar.prototype), handleOf(this).calendar())
  }
}

/** 32 random bytes that make loot unpredictable. */
function seedOf (opts) {
  const { lootSeed } = options(opts, ['lootSeed'])
  if (lootSeed === undefined) return undefined
  const seed = bytes(lootSeed, 'lootSeed')
  if (typeof lootSeed === 'string' || seed.length !== 32) throw argumentError(RangeError, 'lootSeed must be 32 bytes')
  return seed
}

/** The rules with this one part, read by the grammar of rules documents. */
function part (document) {
  try {
    return call(() => native.Rules.parse(Buffer.from(JSON.stringify({ version: 1, game: 'part', ...document })), undefined))
  } catch (error) {
    throw error instanceof RulesError ? Object.assign(argumentError(RangeError, error.message), { issue: error.issue }) : error
  }
}

/** A level curve: how much XP each level takes. */
class LevelCurve {
  constructor () {
    throw argumentError(TypeError, 'a LevelCurve comes from LevelCurve.table, linear, polynomial, exponential or piecewise')
  }

  /** The cost of level 1, 2 and so on. */
  static table (costs, opts) {
    return curve({ kind: 'table', costs: list(costs, 'costs').map((cost) => integer(cost, 'a cost', 1)) }, opts)
  }

  /** `base` for level 1, `step` more for each further level. */
  static linear (base, step, opts) {
    return curve({ kind: 'linear', base: integer(base, 'base', 1), step: integer(step, 'step', 0) }, opts)
  }

  /** `c0 + c1 * l + c2 * l^2 + ...`, coefficients as texts. */
  static polynomial (coefficients, opts) {
    return curve({ kind: 'polynomial', coefficients: list(coefficients, 'coefficients').map((c) => decimal(c, 'a coefficient')) }, opts)
  }

  /** `base * growth^(l - 1)`, the growth as a text. */
  static exponential (base, growth, opts) {
    return curve({ kind: 'exponential', base: integer(base, 'base', 1), growth: decimal(growth, 'growth') }, opts)
  }

  /** `[fromLevel, curve]` one after the other; only the whole has a highest level. */
  static piecewise (pieces, opts) {
    const read = list(pieces, 'pieces').map((piece) => {
      const [fromLevel, shape] = list(piece, 'a piece')
      const { shape: written } = handle(shape, 'the curve of a piece', LevelCurve)
      if (written === undefined) throw argumentError(TypeError, 'the curve of rules cannot be a piece')
      return { fromLevel: count(fromLevel, 'fromLevel', 1), ...written }
    })
    return curve({ kind: 'piecewise', pieces: read }, opts)
  }

  /** XP from this level to the next; 0 at the highest. */
  cost (level) {
    return compiled(this).cost(count(level, 'level'))
  }

  /** XP at which a level starts. */
  total (level) {
    return compiled(this).total(count(level, 'level'))
  }

  /** The level of an XP total. */
  levelAt (xp) {
    return compiled(this).levelAt(integer(xp, 'xp', 0))
  }

  /** `{ level, intoLevel, toNext }` of an XP total. */
  progress (xp) {
    return read(compiled(this).progress(integer(xp, 'xp', 0)))
  }

  /** The highest level. */
  get maxLevel () {
    return compiled(this).maxLevel
  }

  /** Names the table of levels by its content. */
  get hash () {
    return compiled(this).hash
  }
}

/** Compiled at once, so that a mistake is told where it is made; a formula without an end can still be a piece. */
function curve (shape, opts) {
  const { maxLevel, rounding } = options(opts, ['maxLevel', 'rounding'])
  if (maxLevel !== undefined) shape.maxLevel = count(maxLevel, 'maxLevel', 1)
  if (rounding !== undefined) shape.rounding = word(rounding, 'rounding', ['floor', 'ceil', 'nearest'])
  const held = { shape, compiled: undefined }
  try {
    held.compiled = part({ progress: { curve: shape } }).curve()
  } catch (error) {
    if (error.issue !== 'missing') throw error
    held.why = error
  }
  return hold(Object.create(LevelCurve.prototype), held)
}

function compiled (levels) {
  const held = handleOf(levels)
  if (held.compiled === undefined) throw held.why
  return held.compiled
}

/** A decimal as text: 1.2 has no exact binary form. */
function decimal (value, name) {
  if (typeof value === 'string') return text(value, name)
  const hint = typeof value === 'number' ? `; write '${value}'` : ''
  throw argumentError(TypeError, `${name} must be a string such as '1.2', not ${kindOf(value)}${hint}`)
}

/** When periods begin and close; written as in a rules document. */
class Calendar {
  constructor (opts) {
    const known = ['utcOffsetMinutes', 'utcOffsetChanges', 'resetMinute', 'weekStart', 'graceSeconds', 'seasons']
    const calendar = { ...options(opts, known, 'calendar') }
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
    return read(call(() => handleOf(this).period(windowName(window), instant(time, 'time'))))
  }

  /** What is known of a period by its index. */
  describe (period) {
    const { window, index } = periodOf(period)
    return read(call(() => handleOf(this).describe(window, index)))
  }

  /** `future`, `open`, `grace`, `sealed` or `dropped`. */
  state (period, keep, opts) {
    const { window, index } = periodOf(period)
    const time = now(options(opts, TIME))
    return read(call(() => handleOf(this).state(window, index, count(keep, 'keep'), time)))
  }

  /** When the current period changes next, in milliseconds; null if never. */
  nextReset (window, opts) {
    const time = now(options(opts, TIME))
    return call(() => handleOf(this).nextReset(windowName(window), time)) ?? null
  }

  /** Periods of some windows that close in `after < t <= through`, once and in order, made as they are taken. */
  closedBetween (windows, after, through) {
    const names = list(windows, 'windows').map(windowName)
    return taken(call(() => handleOf(this).closings(names, instant(after, 'after'), instant(through, 'through'))))
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

const windowName = (window) => word(window, 'window', WINDOWS)

/** `{ window, index }`, as periods are everywhere. */
function periodOf (period) {
  if (typeof period !== 'object' || period === null) throw argumentError(TypeError, `a period is { window, index }, not ${kindOf(period)}`)
  return { window: windowName(period.window), index: integer(period.index, 'index') }
}

module.exports = { Rules, LevelCurve, Calendar, taken, windowName, periodOf }

'use strict'
// Level curves, which can be used without an engine.

const { count, decimal, flag, handle, integer, json, list, object, options, required, word } = require('./arguments.js')
const { argumentError, call } = require('./errors.js')
const { read } = require('./json.js')
const { handleOf, hold, native } = require('./native.js')
const { part, partOf } = require('./part.js')

const CURVE = ['maxLevel', 'rounding', 'cumulative']
const ROUNDINGS = ['floor', 'ceil', 'nearest']

/** A level curve: how much XP each level takes. */
class LevelCurve {
  constructor () {
    throw argumentError(TypeError, 'a LevelCurve comes from LevelCurve.table, linear, polynomial, exponential, piecewise or fromRules')
  }

  /** The cost of level 1, 2 and so on; cumulative, the totals at which they start, 0 first. */
  static table (values, opts) {
    const given = curveOf(opts)
    const least = given.cumulative ? 0 : 1
    const numbers = list(values, 'values').map((value) => integer(value, given.cumulative ? 'a total' : 'a cost', least))
    return curve({ kind: 'table', [given.cumulative ? 'totals' : 'costs']: numbers }, given)
  }

  /** `base` for level 1, `step` more for each further level. */
  static linear (base, step, opts) {
    return curve({ kind: 'linear', base: integer(base, 'base', 1), step: integer(step, 'step', 0) }, curveOf(opts))
  }

  /** `c0 + c1 * l + c2 * l^2 + ...`, coefficients as texts; `times` is another one that is rounded by itself first. */
  static polynomial (coefficients, opts) {
    const { times, ...rest } = options(opts, [...CURVE, 'times'])
    const shape = { kind: 'polynomial', coefficients: coefficientsOf(coefficients) }
    if (times !== undefined) {
      const { coefficients, rounding } = required(times, ['coefficients', 'rounding'], 'times')
      shape.times = { coefficients: coefficientsOf(coefficients) }
      if (rounding !== undefined) shape.times.rounding = word(rounding, 'rounding', ROUNDINGS)
    }
    return curve(shape, curveOf(rest))
  }

  /** `base * growth^(l - 1)`, the growth as a text. */
  static exponential (base, growth, opts) {
    return curve({ kind: 'exponential', base: integer(base, 'base', 1), growth: decimal(growth, 'growth') }, curveOf(opts))
  }

  /**
   * `[fromLevel, curve]` one after the other; all are cumulative, as the whole is, or none. Only the whole has a highest level: that of a
   * piece says nothing here, and need not be given.
   */
  static piecewise (pieces, opts) {
    const given = curveOf(opts)
    const read = list(pieces, 'pieces').map((piece) => {
      const [fromLevel, shape] = list(piece, 'a piece')
      const { shape: written } = handle(shape, 'the curve of a piece', LevelCurve)
      if (written === undefined) throw argumentError(TypeError, 'the curve of rules cannot be a piece')
      call(() => native.checkPiece(json(written, 'a piece'), given.cumulative === true))
      const { cumulative, maxLevel, ...rest } = written
      return { fromLevel: count(fromLevel, 'fromLevel', 1), ...rest }
    })
    return curve({ kind: 'piecewise', pieces: read }, given)
  }

  /** As `progress.curve` of a rules document has it. Throws a RulesError. */
  static fromRules (document) {
    // A copy: what is written here may be a piece later.
    const shape = { __proto__: null, ...JSON.parse(json(object(document, 'document'), 'document')) }
    return hold(Object.create(LevelCurve.prototype), { shape, compiled: partOf({ progress: { curve: shape } }, 'document').curve() })
  }

  /** XP from this level to the next; 0 at the highest. */
  cost (level) {
    return compiled(this).cost(count(level, 'level'))
  }

  /** XP at which a level starts. */
  total (level) {
    return compiled(this).total(count(level, 'level'))
  }

  /** XP from level 1, 2 and so on to the next, up to the last but one. */
  costs () {
    return Object.freeze(call(() => compiled(this).costs()))
  }

  /** XP at which level 1, 2 and so on start: 0 first. */
  totals () {
    return Object.freeze(call(() => compiled(this).totals()))
  }

  /** The level of an XP total. */
  levelAt (xp) {
    return compiled(this).levelAt(integer(xp, 'xp', 0))
  }

  /** `{ level, intoLevel, toNext }` of an XP total. */
  progress (xp) {
    return read(compiled(this).progress(integer(xp, 'xp', 0)))
  }

  /** The levels reached on the way from one total to another, in order: none if it does not rise. */
  gained (fromXp, toXp) {
    return Object.freeze(compiled(this).gained(integer(fromXp, 'fromXp', 0), integer(toXp, 'toXp', 0)))
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

const coefficientsOf = (values) => list(values, 'coefficients').map((value) => decimal(value, 'a coefficient'))

/** What all curves can be told. */
function curveOf (opts) {
  const { maxLevel, rounding, cumulative } = options(opts, CURVE)
  const given = Object.create(null)
  if (maxLevel !== undefined) given.maxLevel = count(maxLevel, 'maxLevel', 2)
  if (rounding !== undefined) given.rounding = word(rounding, 'rounding', ROUNDINGS)
  if (cumulative !== undefined && flag(cumulative, 'cumulative')) given.cumulative = true
  return given
}

/** Compiled at once, so that a mistake is told where it is made; what is no whole curve can still be a piece. */
function curve (shape, given) {
  const held = { shape: { __proto__: null, ...shape, ...given }, compiled: undefined }
  try {
    held.compiled = part({ progress: { curve: held.shape } }).curve()
  } catch (error) {
    if (!native.mayBePiece(json(held.shape, 'the curve'))) throw error
    held.why = error
  }
  return hold(Object.create(LevelCurve.prototype), held)
}

function compiled (levels) {
  const held = handleOf(levels, LevelCurve)
  if (held.compiled === undefined) throw held.why
  return held.compiled
}

/** The compiled table of an argument. */
function levelsOf (value, name) {
  handle(value, name, LevelCurve)
  return compiled(value)
}

/** A LevelCurve of ours around a compiled one. */
const makeCurve = (levels) => hold(Object.create(LevelCurve.prototype), { compiled: levels })

module.exports = { LevelCurve, levelsOf, makeCurve }

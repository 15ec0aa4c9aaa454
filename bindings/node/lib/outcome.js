'use strict'
// What became of commands. Rows of a batch stay on the native side until somebody looks at them.

const { integer, kindOf } = require('./arguments.js')
const { argumentError, call, fromDetails } = require('./errors.js')
const { freeze, own, read } = require('./json.js')
const { close, dispose, handleOf, hold } = require('./native.js')

/** Rows that an iteration fetches at once. */
const STRETCH = 256

/** What became of one command: `applied`, `replayed`, `refused` or `unknown`. */
class Outcome {
  #refusal

  constructor (told) {
    const { status, code, effect, refusal } = own(told)
    this.status = status
    this.code = code
    this.effect = effect === undefined ? null : freeze(effect)
    this.#refusal = refusal
    Object.freeze(this)
  }

  static #of (self) {
    if (self instanceof Outcome && #refusal in self) return self
    throw argumentError(TypeError, 'this must be of class Outcome, made by an Engine')
  }

  /** Why not; null if it took effect. */
  get error () {
    const refusal = Outcome.#of(this).#refusal
    return refusal === undefined ? null : fromDetails(refusal)
  }

  /** The status that a server in front should answer with. */
  get httpStatus () {
    return Outcome.#of(this).#refusal?.httpStatus ?? 202
  }

  /** Headers that belong to the answer. */
  headers () {
    const refusal = Outcome.#of(this).#refusal
    if (refusal !== undefined) return Object.fromEntries(refusal.headers)
    return this.status === 'replayed' ? { 'Idempotent-Replayed': 'true' } : {}
  }

  /** What the command did, now or the first time; else throws the Refusal. */
  unwrap () {
    if (Outcome.#of(this).effect === null) throw this.error
    return this.effect
  }

  toJSON () {
    const refusal = Outcome.#of(this).#refusal
    const { status, code, effect } = this
    return refusal === undefined ? { status, code, effect } : { status, code, problem: refusal.problem }
  }
}

/** The outcomes of a batch, in the order of its rows. */
class Outcomes {
  constructor (native) {
    if (typeof native?.slice !== 'function') throw argumentError(TypeError, 'outcomes come from an Engine')
    hold(this, native)
  }

  get length () {
    return handleOf(this, Outcomes).length
  }

  /** One of them, from the end if negative; undefined outside. */
  at (index) {
    const { length } = handleOf(this, Outcomes)
    const at = integer(index, 'index')
    const place = at < 0 ? at + length : at
    return place >= 0 && place < length ? stretch(this, place, place + 1)[0] : undefined
  }

  /** Those of a stretch, as of an array. */
  slice (start, end) {
    const { length } = handleOf(this, Outcomes)
    return stretch(this, placeOf(start, 'start', 0, length), placeOf(end, 'end', length, length))
  }

  * [Symbol.iterator] () {
    const { length } = handleOf(this, Outcomes)
    for (let from = 0; from < length; from += STRETCH) yield * stretch(this, from, from + STRETCH)
  }

  /** The first that passes a test. */
  find (test) {
    handleOf(this, Outcomes)
    if (typeof test !== 'function') throw argumentError(TypeError, `test must be a function, not ${kindOf(test)}`)
    for (const outcome of this) if (test(outcome)) return outcome
    return undefined
  }

  /** How many by code: `{ applied: 990, replayed: 8, missing: 2 }`. */
  counts () {
    const held = handleOf(this, Outcomes)
    return read(call(() => held.counts()))
  }

  toJSON () {
    handleOf(this, Outcomes)
    return [...this]
  }

  /** Lets go of the rows now; whatever is called later throws `closed`. Once more is nothing. */
  close () {
    close(this, Outcomes)
  }

  /** The same, for `using`. */
  [dispose] () {
    close(this, Outcomes)
  }
}

/** Where in a list an end of a stretch is, from its end if negative. */
function placeOf (index, name, otherwise, length) {
  const at = index === undefined ? otherwise : integer(index, name)
  return Math.min(Math.max(at < 0 ? at + length : at, 0), length)
}

function stretch (outcomes, from, until) {
  const held = handleOf(outcomes, Outcomes)
  return JSON.parse(call(() => held.slice(from, until))).map((told) => new Outcome(told))
}

module.exports = { Outcome, Outcomes }

'use strict'
// What became of commands. Rows of a batch stay on the native side until somebody looks at them.

const { integer } = require('./arguments.js')
const { argumentError, call, fromDetails } = require('./errors.js')
const { freeze, read } = require('./json.js')

/** Rows that an iteration fetches at once. */
const STRETCH = 256

/** What became of one command: `applied`, `replayed`, `refused` or `unknown`. */
class Outcome {
  #refusal

  constructor ({ status, code, effect, refusal }) {
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
  #native

  constructor (native) {
    if (typeof native?.slice !== 'function') throw argumentError(TypeError, 'outcomes come from an Engine')
    this.#native = native
  }

  static #of (self) {
    if (self instanceof Outcomes && #native in self) return self
    throw argumentError(TypeError, 'this must be of class Outcomes, made by an Engine')
  }

  get length () {
    return Outcomes.#of(this).#native.length
  }

  /** One of them, from the end if negative; undefined outside. */
  at (index) {
    const { length } = Outcomes.#of(this)
    const at = integer(index, 'index')
    const place = at < 0 ? at + length : at
    return place >= 0 && place < length ? this.#stretch(place, place + 1)[0] : undefined
  }

  * [Symbol.iterator] () {
    const { length } = Outcomes.#of(this)
    for (let from = 0; from < length; from += STRETCH) yield * this.#stretch(from, from + STRETCH)
  }

  /** The first that passes a test. */
  find (test) {
    for (const outcome of Outcomes.#of(this)) if (test(outcome)) return outcome
    return undefined
  }

  /** How many by code: `{ applied: 990, replayed: 8, missing: 2 }`. */
  counts () {
    const own = Outcomes.#of(this)
    return read(call(() => own.#native.counts()))
  }

  toJSON () {
    return [...Outcomes.#of(this)]
  }

  #stretch (from, until) {
    return JSON.parse(call(() => this.#native.slice(from, until))).map((told) => new Outcome(told))
  }
}

module.exports = { Outcome, Outcomes }

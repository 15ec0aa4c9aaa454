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

  /** Why not; null if it took effect. */
  get error () {
    return this.#refusal === undefined ? null : fromDetails(this.#refusal)
  }

  /** The status that a server in front should answer with. */
  get httpStatus () {
    return this.#refusal === undefined ? 202 : this.#refusal.httpStatus
  }

  /** Headers that belong to the answer. */
  headers () {
    if (this.#refusal !== undefined) return Object.fromEntries(this.#refusal.headers)
    return this.status === 'replayed' ? { 'Idempotent-Replayed': 'true' } : {}
  }

  /** What the command did, now or the first time; else throws the Refusal. */
  unwrap () {
    if (this.effect === null) throw this.error
    return this.effect
  }

  toJSON () {
    const { status, code } = this
    return this.#refusal === undefined ? { status, code, effect: this.effect } : { status, code, problem: this.#refusal.problem }
  }
}

/** The outcomes of a batch, in the order of its rows. */
class Outcomes {
  #native

  constructor (native) {
    if (typeof native?.slice !== 'function') throw argumentError(TypeError, 'outcomes come from an Engine')
    this.#native = native
  }

  get length () {
    return this.#native.length
  }

  /** One of them, from the end if negative; undefined outside. */
  at (index) {
    const at = integer(index, 'index')
    const place = at < 0 ? at + this.length : at
    return place >= 0 && place < this.length ? this.#stretch(place, place + 1)[0] : undefined
  }

  * [Symbol.iterator] () {
    for (let from = 0; from < this.length; from += STRETCH) yield * this.#stretch(from, from + STRETCH)
  }

  /** The first that passes a test. */
  find (test) {
    for (const outcome of this) if (test(outcome)) return outcome
    return undefined
  }

  /** How many by code: `{ applied: 990, replayed: 8, missing: 2 }`. */
  counts () {
    return read(call(() => this.#native.counts()))
  }

  toJSON () {
    return [...this]
  }

  #stretch (from, until) {
    return JSON.parse(call(() => this.#native.slice(from, until))).map((told) => new Outcome(told))
  }
}

module.exports = { Outcome, Outcomes }

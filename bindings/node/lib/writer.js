'use strict'
// Submits that wait: those of one turn of the event loop cross to the addon together, where one thread writes all that have come.

const { call } = require('./errors.js')
const { Outcome, Outcomes } = require('./outcome.js')

const TICKETS = 2 ** 32

/** What an engine of the addon was asked to do later. */
class Writer {
  #engine
  #commands = []
  #callers = []
  #ticket = 0
  /** By ticket: who takes the outcomes. */
  #waiting = new Map()

  constructor (engine) {
    this.#engine = engine
  }

  /** Whether anything waits. */
  get isBusy () {
    return this.#waiting.size + this.#commands.length > 0
  }

  /** One command; the Outcome. */
  one (command) {
    return new Promise((resolve, reject) => {
      this.#callers.push({ resolve, reject })
      // After all that runs now, also what runs when promises are settled.
      if (this.#commands.push(command) === 1) process.nextTick(() => this.flush())
    })
  }

  /** What came one by one in this turn. */
  flush () {
    const [commands, callers] = [this.#commands, this.#callers]
    if (commands.length === 0) return
    this.#commands = []
    this.#callers = []
    try {
      this.#send('submitLater', [commands], (outcomes) => {
        const told = JSON.parse(outcomes.slice(0, commands.length))
        outcomes.close()
        callers.forEach(({ resolve }, at) => resolve(new Outcome(told[at])))
      })
    } catch (error) {
      for (const { reject } of callers) reject(error)
    }
  }

  /** Rows of a batch; the Outcomes. */
  batch (rows) {
    this.flush()
    return new Promise((resolve) => this.#send('submitLater', [rows], (outcomes) => resolve(new Outcomes(outcomes))))
  }

  /** Lines, when they came, and how many threads decide them; the Outcomes. */
  lines (given) {
    this.flush()
    return new Promise((resolve) => this.#send('submitNdjsonLater', given, (outcomes) => resolve(new Outcomes(outcomes))))
  }

  #send (verb, args, take) {
    const ticket = this.#ticket
    call(() => this.#engine[verb](...args, ticket, this.#settle))
    this.#waiting.set(ticket, take)
    this.#ticket = (ticket + 1) % TICKETS
  }

  #settle = (tickets, outcomes) => {
    tickets.forEach((ticket, at) => {
      const take = this.#waiting.get(ticket)
      this.#waiting.delete(ticket)
      take(outcomes[at])
    })
  }
}

const writers = new WeakMap()

/** The one of an engine of the addon. */
function writerOf (engine) {
  if (!writers.has(engine)) writers.set(engine, new Writer(engine))
  return writers.get(engine)
}

module.exports = { writerOf }

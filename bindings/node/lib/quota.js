'use strict'
// How often: quotas for many keys, and a log for one.

const { count, integer, now, options, required, text, word, TIME } = require('./arguments.js')
const { call } = require('./errors.js')
const { handleOf, hold, native } = require('./native.js')

/** Longest period: a century. */
const SECONDS_MAX = 100 * 366 * 86_400

/** Whether a call may pass, and what its sender should know. */
class Decision {
  #headers

  constructor ({ headers, ...told }) {
    Object.assign(this, told)
    this.#headers = headers
    Object.freeze(this)
  }

  /** Headers that tell the sender. */
  headers () {
    return Object.fromEntries(this.#headers)
  }
}

const decide = (work) => new Decision(JSON.parse(call(work)))

/** One quota for many keys. */
class RateLimiter {
  constructor (quota) {
    const given = required(quota, ['limit', 'periodSeconds', 'burst', 'capacity', 'whenFull'], 'quota')
    const limit = count(given.limit, 'limit', 1)
    const period = integer(given.periodSeconds, 'periodSeconds', 1, SECONDS_MAX)
    const burst = given.burst === undefined ? undefined : count(given.burst, 'burst', 1)
    const capacity = given.capacity === undefined ? undefined : count(given.capacity, 'capacity', 1)
    const whenFull = given.whenFull === undefined ? 'refuse' : word(given.whenFull, 'whenFull', ['refuse', 'admit'])
    hold(this, new native.RateLimiter(limit, period, burst, capacity, whenFull === 'admit'))
  }

  /** Decides on a call; a refused one costs nothing. */
  check (key, opts) {
    const given = options(opts, ['cost', ...TIME])
    const cost = given.cost === undefined ? 1 : count(given.cost, 'cost')
    const time = now(given)
    return decide(() => handleOf(this).check(text(key, 'key'), cost, time))
  }

  /** Keys in memory. */
  get size () {
    return handleOf(this).size
  }
}

/** Never more than `limit` in any window, whenever it begins. */
class SlidingLog {
  constructor (quota) {
    const given = required(quota, ['limit', 'windowSeconds'], 'quota')
    const limit = count(given.limit, 'limit', 1)
    hold(this, new native.SlidingLog(limit, integer(given.windowSeconds, 'windowSeconds', 1, SECONDS_MAX)))
  }

  /** Decides on a call. */
  check (opts) {
    const given = options(opts, ['cost', ...TIME])
    const cost = given.cost === undefined ? 1 : count(given.cost, 'cost')
    const time = now(given)
    return decide(() => handleOf(this).check(cost, time))
  }
}

module.exports = { RateLimiter, SlidingLog, Decision }

'use strict'
// How often: quotas for one key or many, and "never more than N in any window".

const { count, each, integer, kindOf, now, options, pair, required, settingsOf, text, word, TIME } = require('./arguments.js')
const { argumentError, call } = require('./errors.js')
const { handleOf, heldBy, hold, native } = require('./native.js')

/** Longest period or window that is taken, in seconds: a century. Beyond 35 years it counts as 35 years. */
const SECONDS_MAX = 100 * 366 * 86_400
const QUOTA = ['limit', 'periodSeconds', 'periodMillis', 'burst', 'name']
const WINDOW = ['limit', 'windowSeconds', 'windowMillis']
const ROOM = ['capacity', 'whenFull']
const CALL = ['cost', ...TIME]

/** So many calls a period, and so many of them at once. */
class Quota {
  constructor (quota) {
    const given = required(settingsOf(quota, Quota), QUOTA, 'quota')
    this.limit = count(given.limit, 'limit', 1)
    const burst = given.burst === undefined ? undefined : count(given.burst, 'burst', 1)
    const unnamed = new native.Quota(this.limit, spanOf(given, 'period'), burst)
    this.name = given.name === undefined || given.name === null ? null : text(given.name, 'name')
    const held = this.name === null ? unnamed : call(() => unnamed.named(this.name))
    this.periodMillis = held.periodMillis
    this.burst = held.burst
    Object.freeze(hold(this, held))
  }

  /** Time between two calls at the steady rate, in microseconds, rounded up. */
  get intervalMicros () {
    return handleOf(this, Quota).intervalMicros
  }

  /** The state of a key under these numbers, where it was left under others of that interval. */
  carry (state, intervalMicros, opts) {
    const given = options(opts, TIME)
    const args = [integer(state, 'state'), integer(intervalMicros, 'intervalMicros', 1), now(given)]
    return call(() => handleOf(this, Quota).carry(...args))
  }
}

/** A quota given as a Quota or as what makes one. */
const quotaOf = (value) => heldBy(value instanceof Quota ? value : new Quota(value))

/** A span given in seconds or in milliseconds, in milliseconds. */
function spanOf (given, name) {
  const [seconds, millis] = [`${name}Seconds`, `${name}Millis`]
  if (given[millis] === undefined) return 1000 * integer(given[seconds], seconds, 1, SECONDS_MAX)
  if (given[seconds] !== undefined) throw argumentError(TypeError, `give ${seconds} or ${millis}, not both`)
  return integer(given[millis], millis, 1, 1000 * SECONDS_MAX)
}

/** Room for how many keys, and whether to let others pass when it is taken. */
function roomOf ({ capacity, whenFull }) {
  return [
    capacity === undefined ? undefined : count(capacity, 'capacity', 1),
    whenFull !== undefined && word(whenFull, 'whenFull', ['refuse', 'admit']) === 'admit'
  ]
}

/** What a call counts for, and when it is. */
function callOf (opts) {
  const given = options(opts, CALL)
  return [given.cost === undefined ? 1 : count(given.cost, 'cost'), now(given)]
}

/** Whether a call may pass, and what its sender should know. */
class Decision {
  constructor (told) {
    Object.freeze(Object.assign(this, told))
  }

  /** For callers that no quota applies to. */
  static unlimited () {
    return new Decision(native.decisionUnlimited())
  }

  /** All headers that tell a client where it stands under a policy of this name. */
  headers (name = 'default') {
    return Object.fromEntries(call(() => native.decisionHeaders(decisionOf(this), text(name, 'name'))))
  }

  /** The value of `RateLimit-Policy`. */
  policyHeader (name = 'default') {
    return call(() => native.decisionPolicyHeader(decisionOf(this), text(name, 'name')))
  }

  /** The value of `RateLimit`. */
  stateHeader (name = 'default') {
    return call(() => native.decisionStateHeader(decisionOf(this), text(name, 'name')))
  }

  /** The answer to a call that needs both. */
  and (other) {
    const both = [decisionOf(this), decisionOf(other)]
    return new Decision(call(() => native.decisionAnd(...both)))
  }
}

/** A Decision, for the addon; nothing else has what it reads. */
function decisionOf (value) {
  if (value instanceof Decision) return value
  throw argumentError(TypeError, `a Decision is meant, not ${kindOf(value)}`)
}

const decide = (work) => new Decision(call(work))

/** Decides on one call to a key whose state the caller keeps. */
function gcra (state, quota, opts) {
  const before = state === null ? undefined : integer(state, 'state')
  const held = quotaOf(quota)
  const [cost, time] = callOf(opts)
  const step = call(() => native.gcra(before, held, cost, time))
  return Object.freeze({ state: step.state, decision: new Decision(step.decision) })
}

/** One quota for many keys. */
class RateLimiter {
  constructor (quota) {
    const { capacity, whenFull, ...rest } = required(settingsOf(quota, Quota), [...QUOTA, ...ROOM], 'quota')
    const held = quotaOf(rest)
    hold(this, new native.RateLimiter(held, ...roomOf({ capacity, whenFull })))
  }

  /** Decides on a call; a refused one costs nothing. */
  check (key, opts) {
    const [cost, time] = callOf(opts)
    return decide(() => handleOf(this, RateLimiter).check(text(key, 'key'), cost, time))
  }

  /** Other numbers for the limiter's own quota, whose name stays; what each key used still counts. */
  replace (quota) {
    const held = quotaOf(quota)
    call(() => handleOf(this, RateLimiter).replace(held))
  }

  /** Charges one call to several quotas, each with a key, or to none of them. */
  checkAll (requests, opts) {
    const [cost, time] = callOf(opts)
    const keys = []
    const quotas = each(requests, 'requests', (request) => {
      const [quota, key] = pair(request, 'each request must be a pair [quota, key]')
      keys.push(text(key, 'key'))
      return quotaOf(quota)
    })
    return decide(() => handleOf(this, RateLimiter).checkAll(quotas, keys, cost, time))
  }

  /** Keys in memory. */
  get size () {
    return handleOf(this, RateLimiter).size
  }

  /** Calls that passed uncounted, because there was no room. */
  get admittedWhenFull () {
    return handleOf(this, RateLimiter).admittedWhenFull
  }
}

/** Never more than `limit` in any window, whenever it begins, for many keys. */
class SlidingLimiter {
  constructor (quota) {
    const given = required(quota, [...WINDOW, ...ROOM], 'quota')
    const limit = count(given.limit, 'limit', 1)
    hold(this, new native.SlidingLimiter(limit, spanOf(given, 'window'), ...roomOf(given)))
  }

  /** Other numbers; what passed still counts. */
  replace (quota) {
    const given = required(quota, WINDOW, 'quota')
    const args = [count(given.limit, 'limit', 1), spanOf(given, 'window')]
    call(() => handleOf(this, SlidingLimiter).replace(...args))
  }

  /** Decides on a call; a refused one costs nothing. */
  check (key, opts) {
    const [cost, time] = callOf(opts)
    return decide(() => handleOf(this, SlidingLimiter).check(text(key, 'key'), cost, time))
  }

  /** Keys in memory. */
  get size () {
    return handleOf(this, SlidingLimiter).size
  }

  /** Calls that passed uncounted, because there was no room. */
  get admittedWhenFull () {
    return handleOf(this, SlidingLimiter).admittedWhenFull
  }
}

/** The same for one key. */
class SlidingLog {
  constructor (quota) {
    const given = required(quota, WINDOW, 'quota')
    hold(this, new native.SlidingLog(count(given.limit, 'limit', 1), spanOf(given, 'window')))
  }

  /** Other numbers; what passed still counts. */
  replace (quota) {
    const given = required(quota, WINDOW, 'quota')
    const args = [count(given.limit, 'limit', 1), spanOf(given, 'window')]
    call(() => handleOf(this, SlidingLog).replace(...args))
  }

  /** Decides on a call; a refused one costs nothing. */
  check (opts) {
    const [cost, time] = callOf(opts)
    return decide(() => handleOf(this, SlidingLog).check(cost, time))
  }
}

module.exports = { Decision, Quota, RateLimiter, SlidingLimiter, SlidingLog, gcra }

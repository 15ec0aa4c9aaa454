// Quotas: limiters, and the arithmetic alone.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Decision, Quota, RateLimiter, SlidingLimiter, SlidingLog, gcra } from '../index.mjs'
import { NOW_MS } from './game.mjs'
import { seeded } from './random.mjs'

const at = { nowMs: NOW_MS }
const later = (ms) => ({ nowMs: NOW_MS + ms })

describe('a quota', () => {
  test('says what it was made of', () => {
    const quota = new Quota({ limit: 60, periodSeconds: 60, burst: 10 })
    assert.deepEqual({ ...quota }, { limit: 60, periodMillis: 60_000, burst: 10, name: null })
    assert.equal(quota.intervalMicros, 1_000_000)
    assert.deepEqual({ ...new Quota({ limit: 7n, periodMillis: 1500n }) }, { limit: 7, periodMillis: 1500, burst: 7, name: null })
    assert.equal(new Quota({ limit: 7, periodMillis: 1500 }).intervalMicros, 214_286, 'rounded up')
    assert.ok(Object.isFrozen(quota))
    assert.deepEqual(new Quota(quota), quota)
    assert.deepEqual(new Quota({ ...quota, burst: 3 }).burst, 3)
  })

  test('may have a name', () => {
    const daily = new Quota({ limit: 1000, periodSeconds: 86_400, name: 'daily' })
    assert.equal(daily.name, 'daily')
    assert.deepEqual(new Quota(daily), daily)
    for (const name of [7, {}, '\ud800']) assert.throws(() => new Quota({ limit: 1, periodSeconds: 1, name }), { code: 'invalid_argument' })
  })

  test('that is lowered or raised forgets nothing', () => {
    for (const [limit, more] of [[10, 0], [1001, 1]]) {
      const quota = { limit, periodSeconds: 86_400 }
      const made = [
        new RateLimiter({ limit: 1000, periodSeconds: 86_400 }),
        new SlidingLimiter({ limit: 1000, windowSeconds: 86_400 }),
        new SlidingLog({ limit: 1000, windowSeconds: 86_400 })
      ]
      for (const limiter of made) {
        const check = (cost) => limiter instanceof SlidingLog ? limiter.check({ ...at, cost }) : limiter.check('ana', { ...at, cost })
        assert.ok(check(1000).allowed)
        assert.equal(limiter.replace(limiter instanceof RateLimiter ? quota : { limit, windowSeconds: 86_400 }), undefined)
        assert.equal(Array.from({ length: 20 }, () => check(1)).filter(({ allowed }) => allowed).length, more)
      }
      const several = new RateLimiter({ limit: 1000, periodSeconds: 86_400 })
      assert.ok(several.checkAll([[{ limit: 1000, periodSeconds: 86_400 }, 'ana']], { ...at, cost: 1000 }).allowed)
      const ask = () => several.checkAll([[quota, 'ana'], [{ limit: 100, periodSeconds: 1 }, 'ip']], at).allowed
      assert.equal(Array.from({ length: 20 }, ask).filter(Boolean).length, more)
    }
    const [old, lowered] = [1000, 10].map((limit) => new Quota({ limit, periodSeconds: 86_400 }))
    const { state } = gcra(null, old, { ...at, cost: 4 })
    assert.equal(gcra(lowered.carry(state, old.intervalMicros, at), lowered, { ...at, cost: 0 }).decision.remaining, 6)
    for (const wrong of [[null, 1], [1.5, 1], [1, 0], [1, '1']]) assert.throws(() => old.carry(...wrong, at), { name: /TypeError|RangeError/ })
    for (const wrong of [null, { limit: 1 }, { limit: 0, periodSeconds: 1 }]) assert.throws(() => new RateLimiter(old).replace(wrong), { name: /TypeError|RangeError/ })
  })

  test('is refused if it is none, and says what it is if it is the longest', () => {
    const refused = (quota, name) => assert.throws(() => new Quota(quota), { name, code: name === 'RangeError' ? 'out_of_range' : 'invalid_argument' })
    refused({ limit: 0, periodSeconds: 1 }, 'RangeError')
    refused({ limit: 1, periodSeconds: 0 }, 'RangeError')
    refused({ limit: 1, periodMillis: 0 }, 'RangeError')
    refused({ limit: 1, periodSeconds: 1, burst: 0 }, 'RangeError')
    refused({ limit: 2 ** 32, periodSeconds: 1 }, 'RangeError')
    refused({ limit: 1, periodSeconds: 3_162_240_001 }, 'RangeError')
    refused({ limit: 1, periodMillis: 3_162_240_000_001 }, 'RangeError')
    refused({ limit: 1 }, 'TypeError')
    refused({ limit: 1, periodSeconds: 1, periodMillis: 1000 }, 'TypeError')
    refused({ limit: 1, periodSeconds: 1, windowSeconds: 1 }, 'TypeError')
    for (const value of [undefined, null, 60, '60/1m', [60, 60]]) refused(value, 'TypeError')
    // What 2^50 microseconds pay off.
    for (const burst of [13_031, 13_032, 2 ** 32 - 1]) assert.equal(new Quota({ limit: 1, periodSeconds: 86_400, burst }).burst, 13_031)
    for (const [periodMillis, longest] of [[1_125_899_906_842, 1_125_899_906_842], [1_125_899_906_844, 1_125_899_906_843], [3_162_240_000_000, 1_125_899_906_843]]) {
      const quota = new Quota({ limit: 1, periodMillis })
      assert.equal(quota.periodMillis, longest)
      assert.deepEqual(new Quota(quota), quota)
    }
    assert.equal(new Quota({ limit: 2 ** 32 - 1, periodSeconds: 1 }).burst, 2 ** 32 - 1)
  })
})

describe('a decision', () => {
  const limiter = new RateLimiter({ limit: 60, periodSeconds: 60, burst: 2 })
  const passed = limiter.check('player:ana', { ...at, cost: 2 })
  const refused = limiter.check('player:ana', at)

  test('has all fields', () => {
    const shared = { limit: 60, periodMillis: 60_000, remaining: 0, resetAfterMillis: 2000 }
    assert.deepEqual({ ...passed }, { ...shared, allowed: true, code: null, retryAfter: null, retryAfterMillis: null })
    assert.deepEqual({ ...refused }, { ...shared, allowed: false, code: 'rate_limited', retryAfter: 1, retryAfterMillis: 1000 })
    assert.ok(refused instanceof Decision && Object.isFrozen(refused))
    assert.ok(limiter.check('player:ana', later(1000)).allowed, 'exactly then')
  })

  test('tells clients', () => {
    assert.deepEqual(refused.headers(), {
      'RateLimit-Policy': '"default";q=60;w=60',
      RateLimit: '"default";r=0;t=2',
      'X-RateLimit-Limit': '60',
      'X-RateLimit-Window': '60',
      'X-RateLimit-Remaining': '0',
      'Retry-After': '1'
    })
    assert.equal(passed.headers()['Retry-After'], undefined)
    assert.deepEqual([refused.policyHeader('player'), refused.stateHeader('player')], ['"player";q=60;w=60', '"player";r=0;t=2'])
    assert.deepEqual([refused.policyHeader(), refused.stateHeader()], ['"default";q=60;w=60', '"default";r=0;t=2'])
    assert.equal(refused.headers('a"b\\\r\nX: é').RateLimit, '"a\\"b\\\\??X: ?";r=0;t=2', 'no name ends the field or the line')
    const odd = gcra(null, { limit: 10, periodMillis: 1500 }, { ...at, cost: 9 }).decision
    assert.deepEqual([odd.policyHeader('p'), odd.stateHeader('p'), odd.headers('p')['X-RateLimit-Window']], ['"p";q=10', '"p";r=1;t=2', '2'])
  })

  test('goes with another', () => {
    const slow = gcra(gcra(null, { limit: 1, periodSeconds: 9 }, at).state, { limit: 1, periodSeconds: 9 }, at).decision
    const never = gcra(null, { limit: 1, periodSeconds: 1 }, { ...at, cost: 2 }).decision
    assert.deepEqual([never.retryAfter, never.headers()['Retry-After']], [null, undefined])
    for (const [one, other, wanted] of [[passed, refused, refused], [refused, passed, refused], [refused, slow, slow], [slow, never, never], [passed, passed, passed]]) {
      assert.deepEqual(one.and(other), wanted)
    }
    const unlimited = Decision.unlimited()
    assert.deepEqual([unlimited.allowed, unlimited.code, unlimited.headers(), unlimited.and(passed), refused.and(unlimited)], [true, null, {}, passed, refused])
    for (const other of [undefined, null, {}, { ...passed }]) assert.throws(() => passed.and(other), { name: 'TypeError', code: 'invalid_argument' })
  })
})

describe('limiters', () => {
  test('keep keys apart', () => {
    const limiter = new RateLimiter({ limit: 1, periodSeconds: 60 })
    assert.deepEqual(['a', 'b', 'a', 'á', 'a\u0301', '', '🐉'].map((key) => limiter.check(key, at).allowed), [true, true, false, true, true, true, true])
    assert.equal(limiter.size, 6)
    assert.equal(limiter.check('a', { ...at, cost: 0 }).remaining, 0)
    // By then all of them have lapsed, and may make room.
    assert.ok(limiter.check('c').allowed, 'without a time it is the present')
  })

  test('a full one refuses, or admits when told to', () => {
    for (const [whenFull, allowed] of [['refuse', false], ['admit', true], [undefined, false]]) {
      const limiter = new RateLimiter({ limit: 1, periodSeconds: 60, capacity: 1, whenFull })
      limiter.check('a', at)
      const { code, allowed: passes } = limiter.check('b', at)
      assert.deepEqual([passes, code, limiter.size, limiter.admittedWhenFull], [allowed, allowed ? null : 'limiter_full', 1, Number(allowed)])
      assert.ok(limiter.check('b', later(60_000)).allowed, 'one without debt makes room')
      const sliding = new SlidingLimiter({ limit: 1, windowSeconds: 60, capacity: 1, whenFull })
      sliding.check('a', at)
      assert.deepEqual([sliding.check('b', at).allowed, sliding.size, sliding.admittedWhenFull], [allowed, 1, Number(allowed)])
      assert.ok(sliding.check('b', later(60_000)).allowed)
    }
  })

  test('several quotas at once, all or none', () => {
    const limiter = new RateLimiter({ limit: 1, periodSeconds: 1 })
    const [few, many] = [new Quota({ limit: 1, periodSeconds: 60 }), { limit: 100, periodSeconds: 60 }]
    const ask = (opts) => limiter.checkAll([[few, 'player:ana'], [many, 'ip:1']], { ...at, ...opts })
    assert.deepEqual([ask().remaining, ask().code, ask({ cost: 0 }).allowed], [0, 'rate_limited', true])
    const { remaining } = limiter.checkAll([[many, 'ip:1']], { ...at, cost: 0 })
    assert.equal(remaining, 99, 'the refused call was not charged here either')
    assert.equal(limiter.checkAll([[few, 'bo'], [few, 'bo']], at).allowed, false, 'the same twice pays twice')
    assert.equal(limiter.check('player:ana', at).allowed, true, 'its own quota was not among them')
    const { allowed, periodMillis } = limiter.checkAll([], at)
    assert.deepEqual([allowed, periodMillis, limiter.checkAll([], at).headers()], [true, 0, {}])
    for (const [requests, index] of [[{}], [undefined], ['ab'], [[[few]], 0], [[[few, 'a'], [few, 7]], 1], [[[few, 'a'], 'ab'], 1], [[[60, 'a']], 0], [[[few, 'a', 1]], 0], [[, [few, 'a']], 0]]) {
      assert.throws(() => limiter.checkAll(requests, at), (error) => error.code === 'invalid_argument' && error.index === index, JSON.stringify(requests))
    }
  })

  test('in any window', () => {
    const log = new SlidingLog({ limit: 2, windowSeconds: 60 })
    const limiter = new SlidingLimiter({ limit: 2, windowMillis: 60_000 })
    for (const one of [(opts) => log.check(opts), (opts) => limiter.check('ana', opts)]) {
      assert.deepEqual([0, 30, 59, 60].map((second) => one(later(second * 1000)).allowed), [true, true, false, true])
      const { retryAfterMillis, limit, periodMillis } = one(later(60_000))
      assert.deepEqual([retryAfterMillis, limit, periodMillis], [30_000, 2, 60_000])
    }
    assert.ok(limiter.check('bo', later(60_000)).allowed)
    for (const bad of [{ limit: 1 }, { limit: 1, windowSeconds: 1, windowMillis: 1 }, { limit: 1, windowSeconds: 1, burst: 1 }, { windowSeconds: 1 }, undefined]) {
      for (const Class of [SlidingLog, SlidingLimiter]) assert.throws(() => new Class(bad), { name: 'TypeError', code: 'invalid_argument' })
    }
    assert.throws(() => new SlidingLog({ limit: 1, windowSeconds: 1, capacity: 1 }), { name: 'TypeError' }, 'one key has no capacity')
  })

  test('decide as logs and states of one key do', (t) => {
    const random = seeded(t)
    for (let round = 0; round < 20; round++) {
      const limit = 1 + random.below(5)
      const burst = 1 + random.below(5)
      const quotas = [{ limit, periodMillis: 1 + random.below(500), burst }, { limit: 3, periodMillis: 100 }]
      const limiter = new RateLimiter(quotas[0])
      const windows = new SlidingLimiter({ limit, windowMillis: 50 })
      const logs = new Map()
      const states = new Map()
      let nowMs = NOW_MS
      for (let step = 0; step < 200; step++) {
        nowMs += random.pick([0, 1, 20, 200])
        const cost = random.below(3)
        const key = random.pick(['a', 'b', 'c'])
        if (!logs.has(key)) logs.set(key, new SlidingLog({ limit, windowMillis: 50 }))
        assert.deepEqual(windows.check(key, { cost, nowMs }), logs.get(key).check({ cost, nowMs }))

        const requests = random.pick([[[0, key]], [[0, key], [1, key]], [[1, key], [0, 'a'], [1, key]]])
        const now = new Map(states)
        let wanted
        for (const [at, key] of requests) {
          const name = `${at} ${key}`
          const { state, decision } = gcra(now.get(name) ?? null, quotas[at], { cost, nowMs })
          now.set(name, state)
          wanted = wanted === undefined ? decision : wanted.and(decision)
        }
        if (wanted.allowed) for (const [name, state] of now) states.set(name, state)
        const decision = requests.length === 1 ? limiter.check(key, { cost, nowMs }) : limiter.checkAll(requests.map(([at, key]) => [quotas[at], key]), { cost, nowMs })
        assert.deepEqual(decision, wanted, `round ${round}, step ${step}`)
      }
    }
  })
})

describe('gcra', () => {
  test('a state goes in, a state comes out', () => {
    const quota = new Quota({ limit: 60, periodSeconds: 60, burst: 1 })
    const first = gcra(null, quota, at)
    assert.deepEqual([first.state, first.decision.allowed], [1000 * NOW_MS + 1_000_000, true])
    const second = gcra(first.state, quota, at)
    assert.deepEqual([second.state, second.decision.allowed, second.decision.retryAfterMillis], [first.state, false, 1000])
    assert.ok(gcra(second.state, quota, later(1000)).decision.allowed)
    assert.ok(Object.isFrozen(first) && Object.isFrozen(first.decision))
    assert.deepEqual(gcra(BigInt(first.state), quota, at), second)
    assert.ok(gcra(null, quota).state >= 1000 * Date.now(), 'without a time it is the present')
  })

  test('a key that owes nothing has no state', () => {
    assert.equal(gcra(null, { limit: 1, periodSeconds: 1 }, { ...at, cost: 2 }).state, null)
    assert.equal(gcra(null, { limit: 1, periodSeconds: 1 }, { ...at, cost: 0 }).state, null)
    assert.equal(gcra(-5, { limit: 1, periodSeconds: 1 }, { ...at, cost: 0 }).state, -5)
  })

  test('only what a number holds', () => {
    const quota = new Quota({ limit: 1, periodSeconds: 1 })
    for (const state of [undefined, NaN, 1.5, '0', 2 ** 53, -(2 ** 53), 2n ** 53n, -(2n ** 63n), {}, true, Infinity]) {
      assert.throws(() => gcra(state, quota, at), { code: /^(invalid_argument|out_of_range)$/ }, String(state))
    }
    for (const cost of [-1, 1.5, 2 ** 32, '1', null, 2n ** 32n]) assert.throws(() => gcra(null, quota, { ...at, cost }), { code: /^(invalid_argument|out_of_range)$/ })
    assert.throws(() => gcra(null, undefined, at), { name: 'TypeError', code: 'invalid_argument' })
    for (const state of [Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER]) {
      for (const nowMs of [Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER, NOW_MS]) {
        const longest = new Quota({ limit: 1, periodMillis: 1_125_899_906_842 })
        const { state: next, decision } = gcra(state, longest, { nowMs })
        assert.ok(Number.isSafeInteger(next), `${state} at ${nowMs}`)
        for (const value of [decision.resetAfterMillis, decision.retryAfterMillis ?? 0]) assert.ok(Number.isSafeInteger(value))
      }
    }
  })

  // What a store in a language without integers would compute: nothing is rounded on the way.
  test('is exact in doubles', (t) => {
    const random = seeded(t)
    const exact = (number) => {
      assert.ok(Number.isSafeInteger(number))
      return number
    }
    const inDoubles = (state, { intervalMicros, burst }, cost, nowMs) => {
      const now = exact(1000 * Math.min(Math.max(nowMs, -6_755_399_441_055), 6_755_399_441_055))
      const capacity = exact(intervalMicros * burst)
      const end = state !== null && state > exact(now + capacity + 1_000_000) ? exact(now + capacity) : state
      const debt = exact(Math.max(end ?? now, now) - now)
      const price = cost > burst ? Infinity : exact(intervalMicros * cost)
      const allowed = price <= exact(capacity - debt)
      const left = exact(debt + (allowed ? price : 0))
      return {
        state: allowed && cost > 0 ? exact(now + left) : end,
        allowed,
        remaining: Math.max(0, Math.floor((capacity - left) / intervalMicros)),
        resetAfterMillis: Math.ceil(left / 1000),
        retryAfterMillis: allowed || price === Infinity ? null : Math.ceil((price - (capacity - debt)) / 1000)
      }
    }
    for (let round = 0; round < 400; round++) {
      const limit = 1 + random.below(random.pick([3, 1000, 2 ** 32 - 1]))
      const periodMillis = 1 + random.below(random.pick([10, 100_000, 1_125_899_906_842]))
      const quota = new Quota({ limit, periodMillis })
      let state = random.pick([null, null, 0, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER])
      let nowMs = random.pick([NOW_MS, 0, Number.MAX_SAFE_INTEGER - 1e9, -Number.MAX_SAFE_INTEGER + 1e9])
      for (let step = 0; step < 30; step++) {
        nowMs += random.pick([0, 1, random.below(1000), -random.below(3000), random.below(1e7)])
        const cost = random.pick([0, 1, 1, 2, random.below(quota.burst) + 1, 2 ** 32 - 1])
        const wanted = inDoubles(state, quota, cost, nowMs)
        const { state: next, decision } = gcra(state, quota, { cost, nowMs })
        const { allowed, remaining, resetAfterMillis, retryAfterMillis } = decision
        assert.deepEqual({ state: next, allowed, remaining, resetAfterMillis, retryAfterMillis }, wanted, `round ${round}, step ${step}`)
        state = next
      }
    }
  })
})

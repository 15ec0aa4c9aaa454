// Curves, grants, streaks, overflow and migrations: alone, and of an engine. The exact values of many cases are in /vectors.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Calendar, Command, Engine, LevelCurve, Loot, Overflow, Progression, Rules, RulesError, Streak, migrateXp, planMigration } from '../index.mjs'
import { DOCUMENT, NOW_MS, event, rules } from './game.mjs'
import { seeded } from './random.mjs'

const MAX = Number.MAX_SAFE_INTEGER
const at = { nowMs: NOW_MS }

describe('curves', () => {
  test('by fractions, wherever a decimal is taken', () => {
    assert.deepEqual(LevelCurve.exponential(27, '4/3', { maxLevel: 5 }).costs(), [27, 36, 48, 64])
    assert.deepEqual(LevelCurve.polynomial(['-10/3', '13/3'], { maxLevel: 4 }).costs(), [1, 5, 9])
    for (const [bad, code] of [['4/0', 'invalid_format'], ['1/', 'invalid_format'], ['1.5/2', 'invalid_format'], ['', 'invalid_format'], ['1e3', 'invalid_format'], ['٤/٣', 'invalid_format']]) {
      assert.throws(() => LevelCurve.exponential(1, bad, { maxLevel: 3 }), { name: 'RangeError', code }, bad)
      assert.throws(() => LevelCurve.polynomial(['1', bad], { maxLevel: 3 }), { name: 'RangeError', code }, bad)
    }
    const hint = (work, message) => assert.throws(work, { name: 'TypeError', code: 'invalid_argument', message })
    hint(() => LevelCurve.exponential(1, 1.2, { maxLevel: 3 }), /write '1\.2'/)
    hint(() => LevelCurve.polynomial([0.5], { maxLevel: 3 }), /write '0\.5'/)
    hint(() => LevelCurve.polynomial(['1'], { maxLevel: 3, times: { coefficients: [-2] } }), /write '-2'/)
    hint(() => LevelCurve.exponential(1, 4 / 3, { maxLevel: 3 }), /'4\/3'/)
  })

  test('whose values are totals', () => {
    const cumulative = true
    assert.deepEqual(LevelCurve.table([0, 300, 900], { cumulative }).costs(), [300, 600])
    assert.deepEqual(LevelCurve.linear(100, 100, { cumulative, maxLevel: 4 }).totals(), [0, 200, 300, 400])
    assert.deepEqual(LevelCurve.exponential(10, '2', { cumulative, maxLevel: 4 }).totals(), [0, 20, 40, 80])
    assert.equal(LevelCurve.polynomial(['0', '0', '0', '4/5'], { cumulative, maxLevel: 100 }).total(100), 800_000)
    const rest = LevelCurve.table([900, 2700], { cumulative })
    const whole = LevelCurve.piecewise([[1, LevelCurve.table([0, 300], { cumulative })], [3, rest]], { cumulative })
    assert.equal(whole.hash, LevelCurve.table([0, 300, 900, 2700], { cumulative }).hash)
    assert.throws(() => rest.cost(1), { name: 'RangeError', message: /starts at 0/ }, 'a part is no whole')
    assert.throws(() => LevelCurve.piecewise([[1, LevelCurve.table([0, 300], { cumulative })]], { maxLevel: 2 }), { name: 'RangeError', message: /cumulative/ })
    const formula = LevelCurve.linear(100, 100, { cumulative })
    assert.equal(LevelCurve.piecewise([[1, formula]], { cumulative, maxLevel: 3 }).hash, LevelCurve.linear(100, 100, { cumulative, maxLevel: 3 }).hash)
    const written = LevelCurve.fromRules({ kind: 'table', totals: [0, 300] })
    assert.deepEqual(LevelCurve.piecewise([[1, written]], { cumulative }).totals(), [0, 300])
    for (const costs of [LevelCurve.linear(10, 5), LevelCurve.linear(10, 5, { maxLevel: 20 }), LevelCurve.table([10, 15, 20, 25, 30]), LevelCurve.fromRules({ kind: 'table', costs: [10] })]) {
      assert.throws(() => LevelCurve.piecewise([[1, costs]], { cumulative, maxLevel: 2 }), { name: 'RangeError', code: 'invalid_format', message: /cumulative/ })
    }
    assert.throws(() => LevelCurve.table([0, 300, 300], { cumulative }), { name: 'RangeError', message: /totals\/2|level 2/ })
  })

  test('with a factor that is rounded by itself', () => {
    const cumulative = true
    const cubes = (rounding) => LevelCurve.polynomial(['0', '0', '0', '1/500'], { cumulative, maxLevel: 68, times: { coefficients: ['637', '-10/3'], ...rounding } })
    assert.equal(cubes({}).total(68), 257_834)
    assert.equal(cubes({ rounding: 'floor' }).hash, cubes({}).hash)
    assert.notEqual(cubes({ rounding: 'ceil' }).hash, cubes({}).hash)
    assert.throws(() => LevelCurve.linear(1, 1, { maxLevel: 3, times: { coefficients: ['1'] } }), { name: 'TypeError', message: /no member "times"/ })
    assert.throws(() => LevelCurve.polynomial(['1'], { maxLevel: 3, times: { coefficients: ['1'], rounding: 'up' } }), RangeError)
  })

  test('as arrays, for plots', () => {
    const curve = LevelCurve.exponential(250, '1.2', { maxLevel: 60 })
    const [costs, totals] = [curve.costs(), curve.totals()]
    assert.ok(Array.isArray(costs) && Object.isFrozen(costs) && Array.isArray(totals) && Object.isFrozen(totals))
    assert.deepEqual([costs.length, totals.length], [59, 60])
    totals.forEach((total, at) => {
      assert.deepEqual([curve.total(at + 1), curve.cost(at + 1)], [total, costs[at] ?? 0])
      assert.deepEqual([curve.levelAt(total), curve.levelAt(Math.max(total - 1, 0))], [at + 1, Math.max(at, 1)])
    })
    assert.equal(LevelCurve.table(costs).hash, curve.hash)
    assert.equal(LevelCurve.table(totals, { cumulative: true }).hash, curve.hash)
    assert.deepEqual([curve.gained(0, 550), curve.gained(550, 550), curve.gained(550, 0), curve.gained(0, 0)], [[2, 3], [], [], []])
    assert.deepEqual(LevelCurve.table([MAX]).totals(), [0, MAX], 'to the last integer')
    assert.throws(() => LevelCurve.table([MAX, 1]), RangeError)
  })

  test('pieces are compiled as parts of the whole', () => {
    const totals = { cumulative: true, maxLevel: 32 }
    const rest = LevelCurve.polynomial(['403', '-45.5', '2.5'], totals)
    for (const ask of [() => rest.costs(), () => rest.cost(2), () => rest.hash, () => new Progression(rest)]) {
      assert.throws(ask, { name: 'RangeError', code: 'out_of_range', message: /cost of level 2/ })
    }
    const whole = LevelCurve.piecewise([[1, LevelCurve.polynomial(['-17', '17'], { cumulative: true })], [18, rest]], totals)
    assert.deepEqual(whole.totals().slice(15, 20), [255, 272, 394, 441, 493])
    assert.equal(whole.hash, LevelCurve.fromRules({
      kind: 'piecewise', ...totals, pieces: [
        { fromLevel: 1, kind: 'polynomial', coefficients: ['-17', '17'] }, { fromLevel: 18, kind: 'polynomial', coefficients: ['403', '-45.5', '2.5'] }
      ]
    }).hash)
    for (const wrong of [() => LevelCurve.table([]), () => LevelCurve.table([5, 0])]) assert.throws(wrong, RangeError)
  })

  test('as rules documents have them', () => {
    const written = { kind: 'polynomial', coefficients: ['0', '0', '0', '1'], cumulative: true, maxLevel: 100, rounding: 'ceil' }
    assert.equal(LevelCurve.fromRules(written).total(100), 1_000_000)
    assert.equal(LevelCurve.fromRules({ kind: 'linear', base: 100n, step: 0, maxLevel: 3 }).total(3), 200)
    const piece = LevelCurve.fromRules({ kind: 'table', costs: [10, 20] })
    assert.deepEqual(LevelCurve.piecewise([[1, piece], [3, LevelCurve.linear(5, 0)]], { maxLevel: 5 }).costs(), [10, 20, 5, 5])
    for (const [bad, path, issue] of [
      [{}, '/progress/curve/kind', 'missing'],
      [{ kind: 'spline' }, '/progress/curve/kind', 'invalid_format'],
      [{ kind: 'table', costs: [1, 0] }, '/progress/curve/costs/1', 'out_of_range'],
      [{ kind: 'exponential', base: 1, growth: 1.2, maxLevel: 3 }, '/progress/curve/growth', 'not_integer'],
      [{ kind: 'linear', base: 1, step: 1, maxLevel: 3, colour: 'red' }, '/progress/curve/colour', 'unknown_field']
    ]) {
      assert.throws(() => LevelCurve.fromRules(bad), (error) => {
        assert.ok(error instanceof RulesError)
        assert.equal(error.path, path)
        assert.equal(error.code, 'rules_invalid')
        return true
      }, issue)
    }
    const loop = { kind: 'table' }
    loop.costs = loop
    for (const bad of [undefined, null, 7, 'table', [], loop, { kind: 'table', costs: [NaN] }, { kind: 'table', costs: [1, undefined] }, { kind: '\ud800' }, { kind: 'linear', base: 2n ** 53n }, { kind: () => 1 }]) {
      assert.throws(() => LevelCurve.fromRules(bad), (error) => /^(invalid_argument|out_of_range)$/.test(error.code) && (error instanceof TypeError || error instanceof RangeError))
    }
    const changed = { kind: 'table', costs: [10] }
    const held = LevelCurve.fromRules(changed)
    changed.costs.push(0)
    assert.deepEqual(LevelCurve.piecewise([[1, held]]).costs(), [10], 'a copy')
    const powers = Array.from({ length: 9 }, (_, n) => [1 + n * 1000, LevelCurve.exponential(1000, '1.0001', { cumulative: true })])
    assert.throws(() => LevelCurve.piecewise(powers, { cumulative: true, maxLevel: 10_000 }), { name: 'RangeError', message: /exponential pieces go over more than 20000 levels/ })
  })
})

describe('grants', () => {
  const curve = LevelCurve.table([100, 200])
  const boost = (id, factor, from = 0, until = 10) => ({ id, from, until, factor })

  test('add up, through boosts, cap and highest level', () => {
    const progression = new Progression(curve, { atMaxLevel: 'discard', dailyXpCap: 150, boosts: [boost('double', '2')] })
    const grant = progression.grant(290, 100n, { grantedToday: 10, nowMs: 5 })
    assert.deepEqual(grant, { requested: 100, boost: 100, overDailyCap: 60, overMaxLevel: 130, granted: 10, taken: 0 })
    assert.ok(Object.isFrozen(grant))
    assert.equal(progression.grant(290, 100, { now: new Date(10) }).boost, 0, 'half-open')
    assert.equal(progression.curve.hash, curve.hash)
  })

  test('are followed by losses, which stop at the floor', () => {
    const [level, zero] = ['level', 'zero'].map((floor) => new Progression(curve, { floor }))
    const told = (progression, total, gains, losses) => {
      const { granted, taken } = progression.grant(total, gains, { losses, nowMs: 0 })
      return [granted, taken]
    }
    assert.deepEqual(told(level, 130, 0, 50), [0, 30])
    assert.deepEqual(told(level, 90, 20, 50), [20, 10], 'gains come first')
    assert.deepEqual(told(zero, 130, 0, 50), [0, 50])
    assert.deepEqual(told(zero, 30, 0, MAX), [0, 30])
    assert.throws(() => told(new Progression(curve), 130, 0, 50), { code: 'invalid_argument' })
    assert.throws(() => new Progression(curve, { floor: 'ground' }), { code: 'invalid_argument' })
  })

  test('lose nothing to fractions', () => {
    const quarter = new Progression(curve, { boosts: [boost('b', '1.25')] })
    let [total, remainders] = [0, undefined]
    for (let kill = 0; kill < 100; kill++) {
      const settled = quarter.settle(total, 3, { ...(remainders && { remainders }), nowMs: 0 })
      total += settled.grant.granted
      remainders = settled.remainders
    }
    assert.deepEqual([total, remainders], [375, []])
    const half = new Progression(curve, { boosts: [boost('b', '0.5')], floor: 'zero' })
    const first = half.settle(0, 1, { nowMs: 0 })
    assert.deepEqual([first.grant.granted, first.remainders], [0, [{ factor: '1/2', rest: 1 }]])
    assert.ok(Object.isFrozen(first.remainders[0]))
    const second = half.settle(0, 1, { losses: 5, remainders: first.remainders, nowMs: 0 })
    assert.deepEqual([second.grant.granted, second.grant.taken, second.remainders], [1, 1, []])
    const one = { factor: '5/4', rest: 1 }
    for (const [wrong, code] of [
      [[{ factor: '1.25', rest: 1 }], 'invalid_format'], [[{ factor: '5/4', rest: 4 }], 'out_of_range'], [[{ factor: '10/8', rest: 1 }], 'out_of_range'],
      [[one, one], 'invalid_argument'], [Array(1e6).fill(one), 'too_long'], [{ factor: '5/4', rest: 1 }, 'invalid_argument'], [[{ ...one, more: 1 }], 'invalid_argument']
    ]) assert.throws(() => half.settle(0, 1, { remainders: wrong, nowMs: 0 }), { code })
  })

  test('need a common denominator', () => {
    const boosts = [boost('a', '1.000000001'), boost('b', '1.00000001', 5, 15)]
    assert.throws(() => new Progression(curve, { boosts }), { code: 'out_of_range' })
    assert.equal(new Progression(curve, { boosts, boostStacking: 'highest' }).grant(0, 1, { nowMs: 5 }).granted, 1)
  })

  test('stack by a stated rule', () => {
    const boosts = [boost('a', '2'), { ...boost('b', '1.5'), from: new Date(0), until: new Date(10) }]
    const granted = (boostStacking) => new Progression(curve, { boosts, boostStacking }).grant(0, 100, { nowMs: 0 }).granted
    assert.deepEqual(['multiply', 'add', 'highest', undefined].map(granted), [300, 250, 200, 300])
    assert.equal(new Progression(curve, { boosts: [boost('third', '4/3')] }).grant(0, 27, { nowMs: 0 }).granted, 36)
  })

  test('stay within the integers', () => {
    const progression = new Progression(curve)
    assert.equal(progression.grant(MAX - 1, 1, at).granted, 1)
    assert.throws(() => progression.grant(MAX, 1, at), { name: 'LiveopsError', code: 'score_overflow' })
    assert.throws(() => new Progression(curve, { boosts: [boost('huge', '18446744073709551615')] }).grant(0, 1, { nowMs: 0 }), { code: 'score_overflow' })
  })

  test('of rules', () => {
    const { progression } = rules({ progress: { ...DOCUMENT.progress, dailyXpCap: 50, boosts: [{ id: 'b', from: '2026-11-07T00:00:00Z', until: '2026-11-08T00:00:00Z', factor: '3/2' }] } })
    assert.deepEqual(progression.grant(0, 40, { grantedToday: 0, ...at }), { requested: 40, boost: 20, overDailyCap: 10, overMaxLevel: 0, granted: 50, taken: 0 })
    assert.equal(rules().progression.curve.hash, rules().curve.hash)
  })

  test('by rules that are none', () => {
    const wrong = { name: 'RangeError', code: 'invalid_argument' }
    assert.throws(() => new Progression(curve, { atMaxLevel: 'burn' }), wrong)
    assert.throws(() => new Progression(curve, { boostStacking: 'max' }), wrong)
    assert.throws(() => new Progression(curve, { boosts: [boost('b', '0')] }), { code: 'out_of_range', message: /'1\.2' or '4\/3'/ })
    assert.throws(() => new Progression(curve, { boosts: [boost('b', '2', 5, 5)] }), { code: 'out_of_range', message: /ends after it begins/ })
    assert.throws(() => new Progression(curve, { boosts: Array(257).fill(boost('b', '2')) }), { name: 'RangeError', code: 'too_long' })
    assert.throws(() => new Progression(curve, { boosts: [boost('b b', '2')] }), { code: 'id_invalid' })
    assert.throws(() => new Progression(curve, { boosts: [boost('b', 1.5)] }), { name: 'TypeError', message: /write '1\.5'/ })
    assert.throws(() => new Progression(LevelCurve.linear(1, 1)), { name: 'RangeError', message: /highest level/ })
    for (const none of [undefined, null, {}, [100], Object.create(LevelCurve.prototype)]) assert.throws(() => new Progression(none), { name: 'TypeError', code: 'invalid_argument' })
  })
})

describe('streaks', () => {
  test('go on, break and begin again', () => {
    let streak = new Streak()
    const days = [-2, -1, 0, 2, 2, 3, 6, 5, 7].map((day) => {
      const step = streak.step(day, { missedDaysMax: 1 })
      streak = step.streak
      return step.day
    })
    assert.deepEqual(days, [1, 2, 3, 4, null, 5, 1, null, 2])
    assert.deepEqual({ ...streak }, { lastDay: 7, length: 2, longest: 5 })
    assert.deepEqual([7, 8, 9, 10].map((day) => streak.lengthOn(day, { missedDaysMax: 1 })), [2, 2, 2, 0])
    assert.deepEqual([streak.lengthOn(8), streak.lengthOn(9)], [2, 0])
  })

  test('are values', () => {
    const streak = new Streak({ lastDay: 5, length: 3 })
    assert.deepEqual(JSON.parse(JSON.stringify(streak)), { lastDay: 5, length: 3, longest: 3 })
    assert.equal(new Streak(JSON.parse(JSON.stringify(streak))).step(6n).day, 4)
    assert.throws(() => { streak.length = 9 }, TypeError)
    assert.equal(streak.step(6).streak instanceof Streak, true)
    assert.throws(() => new Streak({ length: 3, longest: 2 }), { name: 'RangeError', code: 'out_of_range' })
    assert.throws(() => new Streak(3), TypeError)
    assert.throws(() => Streak.prototype.step.call(Object.create(Streak.prototype), 1), { code: 'invalid_argument' })
    assert.equal(new Streak({ lastDay: -MAX, length: 1 }).step(MAX).day, 1)
  })

  test('know nothing of clocks: a day of 23 hours is one', () => {
    const sydney = new Calendar({ utcOffsetMinutes: 600, utcOffsetChanges: [{ from: '2026-10-03T16:00:00Z', minutes: 660 }] })
    const days = ['2026-10-02T20:00:00Z', '2026-10-03T20:00:00Z', '2026-10-04T20:00:00Z'].map((time) => sydney.period('daily', new Date(time)).index)
    let streak = new Streak()
    for (const day of days) ({ streak } = streak.step(day))
    assert.equal(streak.length, 3)
  })
})

describe('overflow', () => {
  test('turns into units, once', (t) => {
    const random = seeded(t)
    for (let round = 0; round < 50; round++) {
      const every = 1 + random.below(5000)
      let [overflow, sum] = [new Overflow(), 0]
      for (let n = random.below(20); n > 0; n--) {
        const surplus = random.below(100_000)
        overflow = overflow.gather(surplus, every)
        sum += surplus
      }
      assert.deepEqual({ ...overflow }, { units: Math.floor(sum / every), rest: sum % every })
    }
  })

  test('stays within the integers', () => {
    assert.deepEqual({ ...new Overflow({ units: MAX - 1 }).gather(1, 1) }, { units: MAX, rest: 0 })
    for (const [units, rest, surplus] of [[MAX, 0, 1], [0, 1, MAX]]) assert.throws(() => new Overflow({ units, rest }).gather(surplus, 1), { code: 'score_overflow' })
    assert.throws(() => new Overflow().gather(1, 0), { name: 'RangeError', code: 'out_of_range' })
    assert.throws(() => Overflow.prototype.gather.call({ units: 1, rest: 1 }, 1, 1), { code: 'invalid_argument' })
  })
})

describe('migrations', () => {
  const old = LevelCurve.table([100, 200])
  const next = LevelCurve.table([50, 1000, 10])

  test('keep what they say', () => {
    const kept = (policy, xp) => migrateXp(old, next, { policy }, xp).xp
    assert.deepEqual(['keepTotalXp', 'keepLevelAndFraction', 'keepEffort'].map((policy) => kept(policy, 99)), [99, 49, 349])
    assert.deepEqual(migrateXp(old, next, { policy: 'keepTotalXp' }, 300), { xp: 300, grantedThrough: 3 }, 'a total alone: all levels were rewarded')
    assert.deepEqual(migrateXp(old, next, { policy: 'keepTotalXp' }, { xp: 300n }), { xp: 300, grantedThrough: 3 })
    assert.equal(migrateXp(old, next, { policy: 'keepTotalXp', neverLoseALevel: true }, 300).xp, 1050)
    const cheap = LevelCurve.table([10, 10, 10])
    assert.equal(migrateXp(old, cheap, { policy: 'keepTotalXp', skipRewards: true }, { xp: 120, grantedThrough: 2 }).grantedThrough, 4)
  })

  test('are planned as they happen', (t) => {
    const random = seeded(t)
    for (let round = 0; round < 60; round++) {
      const table = () => LevelCurve.table(Array.from({ length: 1 + random.below(8) }, () => 1 + random.below(50)))
      const [before, after] = [table(), table()]
      const policy = { policy: random.pick(['keepTotalXp', 'keepLevelAndFraction', 'keepEffort']), neverLoseALevel: random.below(2) === 1, skipRewards: random.below(2) === 1 }
      const players = Array.from({ length: random.below(30) }, () => ({ xp: random.below(400), grantedThrough: random.below(9), players: 1 + random.below(3) }))
      const plan = planMigration(before, after, policy, players)
      const [counts, minted] = [{ rise: 0, fall: 0, stay: 0 }, {}]
      for (const { xp, grantedThrough, players: many } of players) {
        const moved = migrateXp(before, after, policy, { xp, grantedThrough })
        const [from, to] = [before.levelAt(xp), after.levelAt(moved.xp)]
        counts[to > from ? 'rise' : to < from ? 'fall' : 'stay'] += many
        for (let level = Math.max(moved.grantedThrough, 1) + 1; level <= to; level++) minted[level] = (minted[level] ?? 0) + many
      }
      const { rise, fall, stay } = plan
      assert.deepEqual({ rise, fall, stay }, counts)
      assert.deepEqual(Object.fromEntries(plan.minted.map(({ level, players }) => [level, players])), minted)
    }
  })

  test('take any iterable', () => {
    const policy = { policy: 'keepTotalXp' }
    const whole = planMigration(old, next, policy, [0, 120, 300])
    assert.deepEqual(planMigration(old, next, policy, new Set([0, 120n, { xp: 300 }])), whole)
    assert.deepEqual(planMigration(old, next, policy, (function * () { yield * [0, 120, 300] })()), whole)
    assert.deepEqual(planMigration(old, next, policy, Float64Array.of(0, 120, 300)), whole)
    assert.equal(planMigration(old, next, policy, []).players, 0)
    assert.equal(planMigration(old, next, policy, [{ xp: 0, players: MAX }]).stay, MAX)
    const wrong = { code: /^(invalid_argument|out_of_range)$/ }
    assert.throws(() => planMigration(old, next, policy, [{ xp: 0, players: MAX }, 1]), { name: 'RangeError', code: 'out_of_range' })
    for (const none of [undefined, null, 7, {}, '123', [-1], [1.5], ['1'], [null], [{}], [{ xp: 1, grantedThrough: -1 }], [{ xp: 1, grantedThrough: 2 ** 32 }], [{ xp: 1, level: 2 }]]) {
      assert.throws(() => planMigration(old, next, policy, none), wrong)
    }
    for (const none of [undefined, {}, { policy: 'keepAll' }, { policy: 'keepTotalXp', skip: true }, { policy: 'keepTotalXp', skipRewards: 1 }]) {
      assert.throws(() => migrateXp(old, next, none, 1), wrong)
    }
    assert.throws(() => planMigration(old, next, policy, [1, 2, -3]), { name: 'RangeError', ...wrong, index: 2 })
    assert.throws(() => planMigration(old, LevelCurve.linear(1, 1), policy, [1]), RangeError)
  })

  const migrations = [{ from: DOCUMENT.progress.curve, policy: 'keepTotalXp', levelRewards: 'grant' }]
  const cheaper = rules({ progress: { ...DOCUMENT.progress, curve: { kind: 'table', costs: [100, 100, 100] }, migrations } })

  /** An engine with players on the curve of before. */
  function played () {
    const engine = new Engine(rules())
    engine.submitNdjson([event('e1', 'ana', 120), event('e2', 'bo', 250), event('e3', 'cy', 700)].join('\n'), at)
    return engine
  }

  test('of an engine happen once, as planned', () => {
    const engine = played()
    const digest = engine.digest()
    const forecast = engine.planMigration(cheaper)
    assert.equal(engine.digest(), digest, 'a plan changes nothing')
    assert.deepEqual([forecast.players, forecast.rise, forecast.fall, forecast.stay, forecast.unknown], [3, 1, 0, 2, 0])
    assert.deepEqual(forecast.rewards, [{ reward: 'level-gold', receipts: 1, items: [{ kind: 'currency', id: 'gold', amount: 100 }], rolls: 0 }])
    assert.deepEqual([...engine.migrations(at)], [], 'not before it is in force')
    const { levelCurve } = engine.replaceRules(cheaper)
    assert.deepEqual(levelCurve, { from: rules().curve.hash, to: cheaper.curve.hash, migrates: true })
    assert.equal(engine.player('bo').level, 3, 'read on the new curve at once')
    const commands = [...engine.migrations(at)]
    assert.ok(commands.every((command) => command instanceof Command))
    assert.deepEqual(commands.map(({ playerId }) => playerId), ['ana', 'bo', 'cy'])
    for (const round of [1, 2]) {
      const outcomes = [...engine.submitBatch(commands)]
      assert.deepEqual(outcomes.map(({ status }) => status), Array(3).fill(round === 1 ? 'applied' : 'replayed'))
      assert.deepEqual(outcomes[1].effect.migrated, { fromXp: 250, toXp: 250, fromLevel: 2, toLevel: 3 })
      assert.equal(outcomes.flatMap(({ effect }) => effect.receipts).length, 1)
    }
    assert.deepEqual([...engine.migrations(at)], [])
    assert.equal(engine.receipts('bo').length, 2)
  })

  test('one by one, and by the next event', () => {
    const engine = played()
    const migrate = (curve, player = 'bo') => engine.submit(Command.migrate({ player, curve, version: 1, ...at }))
    assert.equal(migrate(cheaper.curve).code, 'curve_changed')
    engine.replaceRules(cheaper)
    assert.equal(migrate(rules().curve.hash).error.code, 'curve_changed')
    const command = Command.migrate({ player: 'bo', curve: cheaper.curve, version: 1, ...at })
    const { id, receivedAt, ...told } = command.toJSON()
    assert.deepEqual(told, { origin: 'operator', playerId: 'bo', ts: NOW_MS, action: 'migrate', curve: cheaper.curve.hash })
    assert.equal(Command.migrate({ player: 'bo', curve: cheaper.curve.hash, version: 1, now: new Date(NOW_MS) }).id, id)
    assert.notEqual(Command.migrate({ player: 'bo', curve: cheaper.curve, version: 2, ...at }).id, id, 'a curve may come into force twice')
    assert.equal(engine.submit(command).effect.migrated.toLevel, 3)
    const [outcome] = engine.submitNdjson(event('e4', 'cy', 1), at)
    assert.deepEqual([outcome.effect.level, outcome.effect.receipts.length], [4, 0])
    assert.deepEqual(Array.from(engine.migrations(at), ({ playerId }) => playerId), ['ana'])
    for (const none of [undefined, null, 7, 'abc', 'A'.repeat(64), LevelCurve.linear(1, 1), Object.create(LevelCurve.prototype)]) {
      assert.throws(() => Command.migrate({ player: 'bo', curve: none, version: 1, ...at }), (error) => error instanceof TypeError || error instanceof RangeError)
    }
  })

  test('rules without a way from the old curve say so', () => {
    const engine = played()
    const { levelCurve } = engine.replaceRules(rules({ progress: { ...DOCUMENT.progress, curve: { kind: 'table', costs: [100, 100, 100] } } }))
    assert.equal(levelCurve.migrates, false)
    assert.equal(engine.replaceRules(rules({ progress: { ...DOCUMENT.progress, curve: { kind: 'table', costs: [100, 100, 100] } } })).levelCurve, undefined)
  })
})

test('players have streaks and overflow, and an explanation that adds up', () => {
  const progress = {
    ...DOCUMENT.progress,
    streaks: { daily: { on: 'progression' } },
    atMaxLevel: { convert: { reward: 'paragon', every: 100, grant: { kind: 'currency', id: 'shard', amount: 1 } } },
    dailyXpCap: 10_000
  }
  const engine = new Engine(rules({ progress }))
  const [outcome] = engine.submitNdjson(event('e1', 'ana', 850), at)
  assert.deepEqual([outcome.effect.xp.granted, outcome.effect.xp.overMaxLevel], [600, 250])
  const { overflow, streaks } = engine.player('ana')
  assert.deepEqual(overflow, { units: 2, rest: 50 })
  const day = new Calendar().period('daily', NOW_MS).index
  assert.deepEqual(streaks, { daily: { lastDay: day, length: 1, longest: 1 } })
  assert.equal(new Streak(streaks.daily).step(day + 1).day, 2)
  assert.equal(new Overflow(overflow).gather(50, 100).units, 3)
  const { playerId, xp, level, lines } = engine.explain('ana', at)
  assert.deepEqual([playerId, xp, level, lines.reduce((sum, line) => sum + line.xp, 0)], ['ana', 600, 4, 600])
  assert.deepEqual([...new Set(lines.map(({ topic }) => topic))], ['level', 'xp', 'dailyCap', 'streak', 'overflow', 'reward'])
  assert.equal(engine.explain('nobody', at), null)
  assert.deepEqual(new Engine(rules()).player('ana'), null)
  assert.equal(Rules.fromJson('{"version": 1, "game": "g"}').loot('chest') instanceof Loot, false)
})

// Families of detectors: alone, in columns, and through rules and engine; taught and calibrated; alerts.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  AlertBudget, AlertTally, Calibrator, Command, Cusum, DropRate, Engine, Ewma, Family, Hysteresis, PlayerMost, PlayerProfile, Population, PopulationBuilder,
  Regularity, Robust, Rules, StoreError, TimeFloor, ZScore, sentenceOf
} from '../index.mjs'
import { seeded } from './random.mjs'

const START = 1_794_009_600_000
const DAY_MS = 86_400_000
const DETECTORS = ['robust', 'drift', 'dropRate', 'timeFloor', 'regularity']

const PRIOR = { mean: 4.6, sd: 1.5, weight: 4 }
const FAMILY = { kind: 'family', floors: { hydra: 45_000 }, drops: { crown: { boss: 'ogre', odds: '0.05' } }, action: { timeFloor: 'hold', robust: 'flag' } }
const curve = { kind: 'linear', base: 100_000, step: 0, maxLevel: 9 }
const rules = (more = {}, options) => Rules.fromJson(JSON.stringify({ version: 1, game: 'g', limits: { maxPastSeconds: 2_592_000 }, progress: { curve }, detectors: { cheats: FAMILY }, ...more }), options)

const line = (id, playerId, ms, type, payload) => JSON.stringify({ id, type, playerId, ts: Math.floor(ms / 1000), payload })
const submit = (engine, ms, ...event) => engine.submitNdjson(line(event[0], event[1], ms, ...event.slice(2)), { nowMs: ms }).at(0).unwrap()
const kill = (engine, id, player, ms, bossId, durationMs) => submit(engine, ms, id, player, 'boss_kill', { bossId, durationMs })

/** A minute apart, give or take: nothing is as regular as a program. */
const timeOf = (n, from = 0) => START + (from + n) * 61_000 + n * n * 7919 % 40_000
const play = (engine, player, from, amounts) => amounts.map((deltaXp, n) => submit(engine, timeOf(n, from), `e${from + n}`, player, 'progression', { deltaXp }))
const usual = (count) => Array.from({ length: count }, (_, n) => 80 + n * 37 % 50)
const burst = Array(12).fill(40_000)

/** Lines of 250 players, as the rules tell families of them. */
const history = Array.from({ length: 250 }, (_, who) => Array.from({ length: 40 }, (_, n) =>
  line(`h${who}-${n}`, `p${who}`, START - 20 * DAY_MS + n * 61_000 + (n + who) ** 2 * 7919 % 40_000, 'progression', { deltaXp: 2000 + (who * 131 + n * 977) % 6000 })).join('\n') + '\n')

function populationOf (plain = rules()) {
  const builder = new PopulationBuilder()
  for (const lines of history) assert.deepEqual(builder.teachNdjson(plain, lines), { events: 40, refused: 0 })
  assert.equal(builder.leftOut, 0)
  return builder.finish()
}

const refused = (work, Class = RangeError) => {
  let thrown
  assert.throws(work, (error) => {
    thrown = error
    return error instanceof Class && /^(invalid_argument|out_of_range|id_invalid|too_long)$/.test(error.code)
  }, String(work))
  return thrown
}

describe('a family', () => {
  test('says a floor once, in words', () => {
    const family = new Family().boss('hydra', { floorMs: 45_000 })
    const [ana, event] = [new PlayerProfile(), { at: new Date(START), kill: { boss: 'hydra', durationMs: 12_000 } }]
    const scored = family.score(ana, event)
    assert.deepEqual([ana.scores.timeFloor, ana.alerted], [0, []])
    const observed = family.observe(ana, event)
    assert.deepEqual(observed, scored)
    const [{ detector, verdict }] = observed
    assert.deepEqual([detector, verdict.reason, verdict.direction, verdict.action, verdict.isAnomaly, verdict.baseline.source], ['timeFloor', 'belowFloor', 'low', 'flag', true, 'rule'])
    assert.equal(verdict.sentence, 'The duration is shorter than the rules hold possible, which is 45 s.')
    assert.equal(sentenceOf(verdict), verdict.sentence)
    assert.deepEqual(family.observe(ana, event), [], 'said once')
    assert.deepEqual([ana.scores.timeFloor, ana.alerted], [100, ['timeFloor']])
    assert.ok(Object.isFrozen(observed) && Object.isFrozen(verdict.baseline) && Object.isFrozen(ana.scores) && Object.isFrozen(ana.alerted))
  })

  test('finds what each detector is for', () => {
    const reasons = (eventOf, count = 120, thresholds = {}) => {
      const family = new Family({ thresholds }).boss('ogre').dropOdds('crown', 0.05)
      const profile = new PlayerProfile()
      return Array.from({ length: count }, (_, n) => family.observe(profile, { atMs: START + n * 300_000 + n * n * 7919 % 290_000, ...eventOf(n) })).flat().map(({ detector, verdict }) => `${detector} ${verdict.reason}`)
    }
    const gain = (amount, boost) => ({ gain: { activity: 'dungeon', amount, boost } })
    assert.deepEqual(reasons((n) => gain(80 + n * 37 % 50)), [])
    assert.deepEqual(reasons((n) => gain(n < 60 ? 80 + n * 37 % 50 : 40_000), 75), ['robust farAboveUsual'])
    assert.deepEqual(reasons((n) => gain(n < 60 ? 80 + n * 37 % 50 : 160 + n * 37 % 50, n < 60 ? 1 : 2)), [], 'a double-XP weekend')
    assert.deepEqual(reasons((n) => gain(100 * 1.02 ** n), 200, { drift: 12 }), ['drift risesSteadily'])
    assert.deepEqual(reasons((n) => ({ kill: { boss: 'ogre', durationMs: 50_000 }, drops: { drop: 'crown', chances: 1, hits: Number(n % 3 === 0) } })), ['dropRate tooManyDrops'])
    assert.deepEqual(reasons((n) => ({ atMs: START + n * 30_000 })), ['regularity tooRegular'])
  })

  test('has thresholds of its own', () => {
    assert.deepEqual(Object.keys(new Family().thresholds), DETECTORS)
    assert.deepEqual(new Family({ thresholds: { robust: 19.5, drift: undefined } }).thresholds, { ...new Family().thresholds, robust: 19.5 })
    const off = new Family({ thresholds: { timeFloor: 100 } }).boss('hydra', { floorMs: 45_000n })
    assert.deepEqual(off.observe(new PlayerProfile(), { atMs: START, kill: { boss: 'hydra', durationMs: 1 } }), [])
    for (const robust of [0, -1, NaN, Infinity]) refused(() => new Family({ thresholds: { robust } }))
  })

  test('refuses what is no event, and learns nothing of it', () => {
    const family = new Family().boss('hydra').dropOdds('crown', 0.05)
    const [ana, before] = [new PlayerProfile(), new PlayerProfile().toBytes()]
    const gain = (more) => ({ atMs: START, gain: { activity: 'dungeon', amount: 1, ...more } })
    for (const call of ['observe', 'score']) {
      for (const amount of [NaN, Infinity, -Infinity, -1]) assert.match(refused(() => family[call](ana, gain({ amount }))).message, /finite and not negative/)
      for (const boost of [NaN, Infinity, 0, -2]) refused(() => family[call](ana, gain({ boost })))
      assert.match(refused(() => family[call](ana, { atMs: START, kill: { boss: 'ogre', durationMs: 1 } })).message, /boss\(\)/)
      assert.match(refused(() => family[call](ana, { atMs: START, drops: { drop: 'scale', hits: 1 } })).message, /dropOdds\(\)/)
      refused(() => family[call](ana, { atMs: START, kill: { boss: 'hydra', durationMs: 0 } }))
      for (const event of [
        undefined, {}, { at: START }, { atMs: new Date(START) }, { at: new Date(NaN) }, { atMs: START, at: new Date() }, { atMs: 1.5 }, { atMs: START, gains: {} },
        gain({ amount: '1' }), gain({ amount: 1n }), gain({ activity: '\ud800' }), { atMs: START, kill: { boss: 'hydra', durationMs: 1.5 } },
        { atMs: START, drops: { drop: 'crown', hits: null } }, { atMs: START, gain: null }
      ]) refused(() => family[call](ana, event), TypeError)
      for (const profile of [undefined, null, {}, Object.create(PlayerProfile.prototype), new Population()]) refused(() => family[call](profile, { atMs: START }), TypeError)
    }
    assert.deepEqual(ana.toBytes(), before)
    for (const odds of [0, 1, NaN, -0.5]) refused(() => family.dropOdds('other', odds))
    refused(() => family.dropOdds('crown', 0.06))
    refused(() => family.boss('a b'))
    refused(() => family.boss('hydra', { floorMs: 0 }))
    for (let n = 1; n < 255; n++) family.boss(`b${n}`)
    refused(() => family.boss('one-more'))
  })
})

describe('profiles', () => {
  const family = new Family()
  const played = (amounts, activity) => {
    const profile = new PlayerProfile()
    amounts.forEach((amount, n) => family.observe(profile, { atMs: timeOf(n), gain: { activity, amount } }))
    return profile
  }

  test('are restored at any event, to the last bit', () => {
    const [through, amounts] = [new PlayerProfile(), [...usual(50), ...burst]]
    let restored = new PlayerProfile()
    amounts.forEach((amount, n) => {
      const event = { atMs: timeOf(n), gain: { activity: 'dungeon', amount } }
      assert.deepEqual(family.observe(restored, event), family.observe(through, event))
      restored = PlayerProfile.fromBytes(restored.toBytes())
    })
    assert.deepEqual(restored.toBytes(), through.toBytes())
    assert.deepEqual([through.alerted, through.toBytes().length], [['robust'], 63])
    const bytes = through.toBytes()
    for (let cut = 0; cut < bytes.length; cut++) assert.throws(() => PlayerProfile.fromBytes(bytes.subarray(0, cut)), { name: 'StoreError', code: 'store_corrupt' })
    for (const bad of [undefined, 7, [1], null]) refused(() => PlayerProfile.fromBytes(bad), TypeError)
  })

  test('merge', () => {
    const [one, other] = [played(usual(30), 'dungeon'), played([...usual(40), ...burst], 'dungeon')]
    const { robust } = other.scores
    one.merge(other)
    assert.deepEqual([one.scores.robust, one.alerted], [robust, ['robust']])
    refused(() => one.merge(one), TypeError)
    refused(() => one.merge({}), TypeError)
  })
})

describe('columns', () => {
  const amounts = [...usual(60), ...burst]
  const atMs = Float64Array.from(amounts, (_, n) => timeOf(n))
  const amount = Float64Array.from(amounts)
  const familyOf = () => new Family().boss('ogre').boss('hydra', { floorMs: 45_000 }).dropOdds('crown', 0.05)

  test('say what one event at a time says', () => {
    const activity = amounts.map((_, n) => n % 3 === 0 ? 'quest' : 'dungeon')
    const boss = amounts.map((_, n) => n % 2 === 0 ? 'ogre' : 'hydra')
    const durationMs = Uint32Array.from(amounts, (_, n) => 60_000 - n * 400)
    const [chances, hits] = [Uint32Array.from(amounts, () => 1), Uint32Array.from(amounts, (_, n) => Number(n % 5 === 0))]
    const boost = Float64Array.from(amounts, (_, n) => 1 + n % 2)
    const [family, singly, batched] = [familyOf(), new PlayerProfile(), new PlayerProfile()]
    const scores = []
    const findings = amounts.flatMap((amount, index) => {
      const gain = { activity: activity[index], amount, boost: boost[index] }
      const found = family.observe(singly, { atMs: atMs[index], gain, kill: { boss: boss[index], durationMs: durationMs[index] }, drops: { drop: 'crown', chances: 1, hits: hits[index] } })
      scores.push(...Object.values(singly.scores))
      return found.map((finding) => ({ ...finding, index }))
    })
    assert.ok(findings.length >= 2)
    const told = family.observeMany(batched, { atMs, activity, amount, boost, boss, durationMs, drop: 'crown', chances, hits })
    assert.deepEqual(told, { detectors: DETECTORS, scores: Float64Array.from(scores), findings })
    assert.deepEqual(batched.toBytes(), singly.toBytes())
    const again = new PlayerProfile()
    assert.deepEqual(family.observeMany(again, { atMs: BigInt64Array.from(atMs, BigInt), activity, amount, boost, boss, durationMs, drop: 'crown', chances, hits }), told)
  })

  test('read where they are, also a part of a larger buffer or of shared memory', () => {
    const [family, wanted] = [familyOf(), familyOf().observeMany(new PlayerProfile(), { atMs, activity: 'dungeon', amount, boost: 2 })]
    const large = new Float64Array(amounts.length + 4)
    large.set(amount, 3)
    const shared = new Float64Array(new SharedArrayBuffer(amount.byteLength))
    shared.set(amount)
    for (const form of [large.subarray(3, -1), shared]) {
      assert.deepEqual(family.observeMany(new PlayerProfile(), { atMs, activity: 'dungeon', amount: form, boost: 2 }), wanted)
    }
    assert.deepEqual(family.observeMany(new PlayerProfile(), { atMs: new Float64Array(0) }), { detectors: DETECTORS, scores: new Float64Array(0), findings: [] })
    assert.deepEqual(family.observeMany(new PlayerProfile(), { atMs: new BigInt64Array(2) }).scores.length, 10)
  })

  test('with one bad value teach nothing', () => {
    const [family, ana] = [familyOf(), new PlayerProfile()]
    family.observe(ana, { atMs: START, gain: { activity: 'dungeon', amount: 100 } })
    const before = ana.toBytes()
    const columns = { atMs, activity: 'dungeon', amount }
    const changed = (column, value) => Object.assign(column.slice(), { 7: value })
    for (const bad of [NaN, Infinity, -Infinity, -1]) assert.equal(refused(() => family.observeMany(ana, { ...columns, amount: changed(amount, bad) })).index, 7)
    for (const bad of [NaN, Infinity, 0, -1]) {
      assert.equal(refused(() => family.observeMany(ana, { ...columns, boost: changed(amount, bad) })).index, 7)
      assert.equal(refused(() => family.observeMany(ana, { ...columns, boost: bad })).index, 0)
    }
    for (const bad of [NaN, 1.5, 2 ** 53, -Infinity]) assert.equal(refused(() => family.observeMany(ana, { ...columns, atMs: changed(atMs, bad) })).index, 7)
    assert.equal(refused(() => family.observeMany(ana, { ...columns, atMs: changed(BigInt64Array.from(atMs, BigInt), 2n ** 60n) })).index, 7)
    assert.equal(refused(() => family.observeMany(ana, { atMs, boss: 'ogre', durationMs: changed(new Uint32Array(atMs.length).fill(5), 0) })).index, 7)
    const names = Array(atMs.length).fill('dungeon')
    assert.equal(refused(() => family.observeMany(ana, { ...columns, activity: changed(names, 7) }), TypeError).index, 7)
    refused(() => family.observeMany(ana, { atMs, boss: 'unknown', durationMs: new Uint32Array(atMs.length) }))
    for (const bad of [
      undefined, {}, { atMs: [...atMs] }, { atMs: Float32Array.from(atMs) }, { ...columns, amount: amounts }, { ...columns, amount: undefined }, { atMs, boost: 2 },
      { atMs, boss: 'ogre' }, { atMs, drop: 'crown', hits: new Uint32Array(atMs.length) }, { ...columns, activity: 7 }, { ...columns, amounts: amount }
    ]) refused(() => family.observeMany(ana, bad), TypeError)
    for (const short of [{ ...columns, amount: amount.subarray(1) }, { ...columns, activity: ['dungeon'] }, { ...columns, boost: new Float64Array(1) }]) refused(() => family.observeMany(ana, short))
    const taken = amount.slice()
    structuredClone(taken, { transfer: [taken.buffer] })
    refused(() => family.observeMany(ana, { ...columns, amount: taken }), TypeError)
    assert.deepEqual(ana.toBytes(), before)
  })

  test('of the single detectors', () => {
    for (const make of [() => new Robust({ threshold: 6, prior: PRIOR }), () => new Cusum({ prior: PRIOR }), () => new ZScore(), () => new Ewma(), () => new TimeFloor({ minimumMs: 100 })]) {
      const [singly, batched] = [make(), make()]
      const verdicts = amounts.map((value) => singly.observe(value))
      const { scores, findings } = batched.observeMany(amount)
      assert.deepEqual(scores, Float64Array.from(verdicts, (verdict) => verdict.score))
      assert.deepEqual(findings, verdicts.flatMap((verdict, index) => verdict.isAnomaly ? [{ index, verdict }] : []))
      assert.ok(findings.length > 0)
      assert.deepEqual(batched.score(150), singly.score(150))
      for (const bad of [NaN, Infinity, -Infinity]) assert.equal(refused(() => batched.observeMany(Float64Array.of(1e9, bad))).index, 1)
      assert.deepEqual(batched.score(150), singly.score(150), 'nothing learned')
    }
    for (const amounts of [new Robust(), new Cusum()]) assert.equal(refused(() => amounts.observeMany(Float64Array.of(3, -1))).index, 1)
    assert.equal(new ZScore().observeMany(Float64Array.of(-1, -2)).scores.length, 2, 'for some a negative value is one')
    for (const bad of [undefined, [1, 2], Float32Array.of(1), new Uint32Array(1), 7]) refused(() => new Robust().observeMany(bad), TypeError)
  })
})

describe('detectors alone', () => {
  test('without a prior the first values say what is usual, in whatever unit', () => {
    const quests = Array.from({ length: 30 }, (_, n) => 100 + n % 7 * 9)
    const reasons = (times, amounts) => {
      const xp = new Robust({ threshold: 6 })
      return amounts.map((amount) => xp.observe(amount * times).reason)
    }
    for (const times of [1e-6, 1, 1200, 1e6]) {
      const [first, rest] = [reasons(times, quests).slice(0, 10), reasons(times, [...quests, 0, 10_000]).slice(10)]
      assert.deepEqual([...new Set(first)], ['tooFewSamples'])
      assert.deepEqual([...new Set(rest.slice(0, -1)), rest.at(-1)], ['usual', 'farAboveUsual'], `times ${times}`)
    }
    const family = new Family().keepApart('quest').keepApart('dungeon')
    const ana = new PlayerProfile()
    for (let n = 0; n < 60; n++) {
      const gain = n % 2 ? { activity: 'quest', amount: 40 + n * 7 % 31 } : { activity: 'dungeon', amount: 90_000 + n * 700 }
      assert.deepEqual(family.observe(ana, { atMs: START, gain }), [])
    }
    const [spike] = Array.from({ length: 9 }, () => family.observe(ana, { atMs: START, gain: { activity: 'quest', amount: 90_000 } })).flat()
    assert.deepEqual([spike.detector, spike.verdict.baseline.source], ['robust', 'player'])
    refused(() => family.keepApart('no id'))
  })

  test('a Cusum finds a slow rise', () => {
    const xp = new Cusum({ threshold: 12 })
    for (let n = 0; n < 300; n++) assert.equal(xp.observe(80 + n * 7 % 41).isAnomaly, false)
    const restored = Cusum.fromBytes(xp.toBytes(), { threshold: 12 })
    const found = Array.from({ length: 400 }, (_, n) => n).find((n) => xp.observe(100 * 1.005 ** n).reason === 'risesSteadily')
    assert.ok(found < 150, 'before it has doubled')
    assert.equal(restored.score(100).baseline.n, 300)
    restored.merge(xp)
    assert.equal(restored.score(100).baseline.n, 300 + 300 + found + 1)
    assert.equal(new Cusum().observe(-1).reason, 'negative')
    assert.throws(() => Cusum.fromBytes(xp.toBytes().subarray(1)), { name: 'StoreError', code: 'store_corrupt' })
    refused(() => xp.merge(new Robust()))
    refused(() => xp.merge(xp), TypeError)
    for (const threshold of [0, -1, NaN, 2e6]) refused(() => new Cusum({ threshold }))
  })

  test('what has learned goes on from its bytes', () => {
    const [ewma, robust] = [{ threshold: 4, span: 30 }, { threshold: 6, prior: { mean: 5, sd: 1, weight: 8 } }]
    for (const [Class, options] of [[ZScore, { threshold: 4 }], [Ewma, ewma], [Robust, robust], [Cusum, robust], [TimeFloor, { minimumMs: 100 }]]) {
      let detector = new Class(options)
      const other = new Class(options)
      for (let n = 0; n < 60; n++) {
        const value = n === 40 ? 1e7 : 80 + n * 7 % 41
        detector = Class.fromBytes(detector.toBytes(), options)
        assert.ok(detector instanceof Class)
        assert.deepEqual(detector.observe(value), other.observe(value))
      }
      assert.throws(() => Class.fromBytes(detector.toBytes().subarray(1), options), { name: 'StoreError', code: 'store_corrupt' })
      for (const bad of [undefined, 7, [1], null]) refused(() => Class.fromBytes(bad, options), TypeError)
    }
    assert.throws(() => Robust.fromBytes(new Ewma().toBytes()), { name: 'StoreError' }, 'of another class')
    assert.throws(() => ZScore.fromBytes(new Cusum().toBytes()), { name: 'StoreError' })
  })

  test('a DropRate has exact tails', () => {
    for (const [odds, chances, hits, tail] of [[0.0473, 262, 42, 5.653e-12], [0.5, 305, 211, 8.791e-12]]) {
      const drops = new DropRate({ odds })
      assert.deepEqual(drops.score(chances, hits), drops.observe(chances, hits))
      assert.ok(Math.abs(drops.tail / tail - 1) < 1e-3, `${drops.tail}`)
      assert.deepEqual([drops.chances, drops.hits, drops.score(0, 0).reason], [chances, hits, 'tooManyDrops'])
      assert.match(drops.score(0, 0).sentence, new RegExp(`the published odds are ${odds}`))
      const restored = DropRate.fromBytes(drops.toBytes(), { odds })
      restored.merge(drops)
      assert.deepEqual([restored.chances, restored.hits], [2 * chances, 2 * hits])
      for (const [bad, more] of [[0, 1], [2 ** 32 - 1, 0]]) refused(() => drops.learn(bad, more))
      assert.deepEqual([drops.chances, drops.hits], [chances, hits], 'nothing counted')
      refused(() => drops.merge(new DropRate({ odds: 0.2 })))
    }
    for (const odds of [0, 1, NaN, -1]) refused(() => new DropRate({ odds }))
    refused(() => new DropRate({ odds: '0.1' }), TypeError)
    refused(() => new DropRate({ odds: 0.1 }).observe(1.5, 0), TypeError)
    assert.throws(() => DropRate.fromBytes(new Uint8Array([1, 5, 6]), { odds: 0.1 }), StoreError)
  })

  test('a Regularity tells programs from people', () => {
    const found = (intervalMs) => {
      const clock = new Regularity({ threshold: 16, population: new Population() })
      let at = START
      return Array.from({ length: 200 }, (_, n) => n).find((n) => clock.observe(new Date(at += intervalMs(n))).reason === 'tooRegular')
    }
    assert.ok(found(() => 30_000) < 25)
    assert.equal(found((n) => 5000 + n * n * 7919 % 90_000), undefined)
    const [clock, other] = [new Regularity(), new Regularity()]
    for (let n = 0; n < 20; n++) clock.learn(START + n * 20_000)
    other.merge(clock)
    assert.deepEqual(other.toBytes(), clock.toBytes())
    assert.deepEqual(Regularity.fromBytes(clock.toBytes()).score(START + 400_000), clock.score(START + 400_000))
    assert.throws(() => Regularity.fromBytes(new Uint8Array(3)), StoreError)
    for (const bad of [1.5, NaN, '1', undefined, new Date(NaN)]) refused(() => clock.observe(bad), TypeError)
  })
})

describe('alerts', () => {
  test('one an excursion', () => {
    const [xp, alerts] = [new Robust({ threshold: 6, prior: PRIOR }), new Hysteresis()]
    const firsts = [5_000_000, 9_000_000, 100, 5_000_000].map((value) => [alerts.isFirst(xp.observe(value)), alerts.isRaised])
    assert.deepEqual(firsts, [[true, true], [false, true], [false, false], [true, true]])
    for (const bad of [undefined, {}, { ...xp.score(1), direction: 'up' }, { ...xp.score(1), score: '1' }]) assert.throws(() => alerts.isFirst(bad), { code: 'invalid_argument' })
    refused(() => alerts.isFirst({ ...xp.score(1), reason: 'boredom' }))
  })

  test('so many of a player a day', () => {
    const [budget, ana, bo] = [new AlertBudget({ perDay: 2 }), new AlertTally(), new AlertTally()]
    assert.deepEqual(Array.from({ length: 5 }, () => budget.allows(ana, { nowMs: START })), [true, true, false, false, false])
    assert.deepEqual([ana.suppressed, bo.suppressed, budget.allows(bo, { nowMs: START })], [3, 0, true])
    const restored = AlertTally.fromBytes(ana.toBytes())
    assert.deepEqual([budget.allows(restored, { nowMs: START + DAY_MS - 1 }), budget.allows(restored, { now: new Date(START + DAY_MS) })], [false, true])
    refused(() => new AlertBudget({ perDay: 0 }))
    assert.throws(() => AlertTally.fromBytes(new Uint8Array([2, 0, 0, 0])), StoreError)
  })

  test('in words, whatever the reason', () => {
    const verdict = new TimeFloor({ minimumMs: 45_000 }).score(12_000)
    assert.equal(verdict.sentence, 'The duration is shorter than the rules hold possible: 12 s, where the limit is 45 s.')
    for (const reason of [
      'usual', 'tooFewSamples', 'farFromMean', 'farFromRecent', 'changeAfterConstancy', 'farAboveUsual', 'belowFloor', 'notFinite', 'risesSteadily', 'tooManyDrops',
      'tooRegular', 'negative'
    ]) assert.match(sentenceOf({ ...verdict, reason }), /^[A-Z].*\.$/)
  })
})

describe('history', () => {
  test('makes a population, which is data', () => {
    const population = populationOf()
    assert.deepEqual([population.activities, population.bosses], [['progression'], []])
    const restored = Population.fromBytes(population.toBytes())
    assert.equal(restored.hash, population.hash)
    assert.match(population.hash, /^[0-9a-f]{64}$/)
    assert.notEqual(new Population().hash, population.hash)
    assert.throws(() => Population.fromBytes(population.toBytes().subarray(1)), { name: 'StoreError' })
    const changed = population.toBytes()
    changed[40] ^= 1
    assert.throws(() => Population.fromBytes(changed), { name: 'StoreError', code: 'store_corrupt' })
  })

  test('is told by hand too', () => {
    const builder = new PopulationBuilder()
    for (let who = 0; who < 100; who++) {
      for (let n = 0; n < 50; n++) {
        const atMs = START + n * (40 + who % 9) * 1000
        builder.gain(`p${who}`, { atMs, activity: 'dungeon', amount: 100 + (who * 31 + n * 17) % 50, boost: 1 })
        builder.kill(`p${who}`, { at: new Date(atMs), boss: 'hydra', durationMs: 60_000 + who * 500 + n })
      }
    }
    const population = builder.finish()
    assert.deepEqual([population.activities, population.bosses], [['dungeon'], ['hydra']])
    const [{ detector, verdict }] = new Family({ population }).observe(new PlayerProfile(), { atMs: START, kill: { boss: 'hydra', durationMs: 9000 } })
    assert.deepEqual([detector, verdict.baseline.source], ['timeFloor', 'population'])
    for (const bad of [{ amount: -1 }, { amount: NaN }, { boost: 0 }, { activity: 'a b' }]) refused(() => builder.gain('p1', { atMs: 1, activity: 'dungeon', amount: 1, ...bad }))
    refused(() => builder.gain('p1', { activity: 'dungeon', amount: 1 }), TypeError)
    refused(() => builder.kill('p1', { atMs: 1, boss: 'hydra', durationMs: 0 }))
    assert.equal(builder.finish().hash, population.hash, 'nothing learned')
  })

  test('counts lines that are no events', () => {
    assert.deepEqual(new PopulationBuilder().teachNdjson(rules(), `${line('e', 'ana', 0, 'progression', { deltaXp: 5 })}\nnone\n{}\n`), { events: 1, refused: 2 })
    refused(() => new PopulationBuilder().teachNdjson({}, ''), TypeError)
    refused(() => new PopulationBuilder().teachNdjson(rules(), 7), TypeError)
  })

  test('calibrates a family of rules, at once or in pieces', () => {
    const anchored = rules({}, { population: populationOf() })
    const told = anchored.calibrate('cheats', history.join(''), { perPlayer: 0.01 })
    assert.deepEqual([told.events, told.refused, told.leftOut, Object.keys(told.thresholds)], [10_000, 0, 0, DETECTORS])
    for (const threshold of Object.values(told.thresholds)) assert.ok(threshold >= 7 && threshold < 100)
    assert.deepEqual(anchored.calibrate('cheats', history.map((lines) => Buffer.from(lines)), { perPlayer: 0.01 }), told)
    const over = (events) => Object.values(anchored.calibrate('cheats', history, { perPlayer: 0.01, events }).thresholds).reduce((sum, one) => sum + one)
    assert.ok(over(4) <= over(40_000), 'who plays longer is flagged more often')
    assert.ok(anchored.calibrate('cheats', history, { perEvent: 1e-7 }).thresholds.robust >= told.thresholds.robust)
    const calibrated = anchored.withThresholds('cheats', told.thresholds)
    assert.equal(calibrated.populationHash, anchored.populationHash)
    const off = rules().withThresholds('cheats', { timeFloor: 100 })
    assert.deepEqual(kill(new Engine(off), 'k1', 'ana', START, 'hydra', 9000).verdicts, [])

    refused(() => anchored.calibrate('cheats', history[0], { perPlayer: 0.01 }))
    for (const rate of [0, -1, NaN, Infinity]) refused(() => anchored.calibrate('cheats', history, { perPlayer: rate }))
    refused(() => anchored.calibrate('nobody', history, { perPlayer: 0.01 }))
    for (const budget of [undefined, {}, { perYear: 1 }, { perPlayer: 0.1, perEvent: 0.1 }, { perEvent: '1' }, { perEvent: 0.1, events: 9 }]) refused(() => anchored.calibrate('cheats', history, budget), TypeError)
    for (const bad of [undefined, 7, {}, [7]]) refused(() => anchored.calibrate('cheats', bad, { perPlayer: 0.01 }), TypeError)
    refused(() => anchored.withThresholds('nobody', told.thresholds))
    refused(() => anchored.withThresholds('cheats', { robust: 0 }))
    refused(() => anchored.withThresholds('cheats'), TypeError)
    refused(() => anchored.withPopulation({}), TypeError)
    const angry = function * () {
      yield history[0]
      throw new SyntaxError('mine')
    }
    assert.throws(() => anchored.calibrate('cheats', angry(), { perPlayer: 0.01 }), { name: 'SyntaxError', message: 'mine' })
  })

  test('calibrates a family alone', () => {
    const [family, calibrator] = [new Family(), new Calibrator()]
    for (let who = 0; who < 250; who++) {
      const [profile, most] = [new PlayerProfile(), calibrator.player()]
      for (let n = 0; n < 40; n++) {
        family.observe(profile, { atMs: timeOf(n, who), gain: { activity: 'dungeon', amount: 50 + (who * 131 + n * 977) % 600 } })
        most.observe(profile)
      }
      calibrator.add(most, { days: 1 })
      if (who === 198) refused(() => calibrator.thresholds({ perPlayerDay: 0.01 }))
    }
    const thresholds = calibrator.thresholds({ perPlayerDay: 0.01 })
    assert.deepEqual(new Family({ thresholds }).thresholds, thresholds)
    refused(() => new PlayerMost(), TypeError)
    refused(() => calibrator.add({}, { days: 1 }), TypeError)
    refused(() => calibrator.add(calibrator.player()), TypeError)
  })
})

describe('families in rules and engine', () => {
  test('a burst is flagged once with its reason, and can be settled, also in a later process', () => {
    const engine = new Engine(rules())
    for (const { flagged, held } of play(engine, 'ana', 0, usual(60))) assert.deepEqual([flagged, held], [null, null])
    const flagged = play(engine, 'ana', 60, burst).filter((effect) => effect.flagged !== null)
    assert.deepEqual(flagged.map(({ verdicts }) => verdicts[0].reason), ['farAboveUsual'])
    const [{ flagged: suspicion, verdicts: [judgement], xp }] = flagged
    assert.deepEqual([judgement.detector, xp.granted], ['cheats', 40_000])
    assert.match(sentenceOf(judgement), /threshold/)
    const lines = engine.suspicionsNdjson().trimEnd().split('\n').map((line) => JSON.parse(line))
    assert.deepEqual(lines.map(({ playerId, number, sentences }) => [playerId, number, sentences]), [['ana', suspicion, [sentenceOf(judgement)]]])
    const later = Engine.restore(rules(), engine.snapshot())
    const settle = (id) => later.submit(Command.review({ id, player: 'ana', suspicion, ruling: 'confirm', nowMs: START + DAY_MS })).code
    assert.deepEqual([settle('r1'), settle('r1'), settle('r2')], ['applied', 'replayed', 'suspicion_settled'])
  })

  test('floors hold, and drops are counted against their odds', () => {
    const engine = new Engine(rules())
    const { held, verdicts: [{ reason, baseline }] } = kill(engine, 'k1', 'ana', START, 'hydra', 12_000)
    assert.deepEqual([held !== null, reason, baseline.source], [true, 'belowFloor', 'rule'])
    assert.deepEqual(kill(engine, 'k2', 'bo', START, 'hydra', 46_000).verdicts, [])
    const reasons = []
    for (let n = 0; n < 60; n++) {
      const ms = START + n * 97_000 + n * n * 7919 % 60_000
      const effects = [kill(engine, `o${n}`, 'cy', ms, 'ogre', 50_000)]
      if (n % 3 === 0) effects.push(submit(engine, ms, `c${n}`, 'cy', 'drop_claimed', { dropId: 'crown', itemId: 'crown', quantity: 1 }))
      reasons.push(...effects.flatMap(({ verdicts }) => verdicts.map(({ reason }) => reason)))
    }
    assert.deepEqual(reasons, ['tooManyDrops'], 'one excursion, one alert')
  })

  test('a population says what is usual from the first event on, and stays', () => {
    const population = populationOf()
    const anchored = rules().withPopulation(population)
    assert.deepEqual([rules().populationHash, anchored.populationHash, rules({}, { population }).populationHash], [null, population.hash, population.hash])
    assert.equal(anchored.hash, rules().hash, 'no part of the rules')
    const flags = (engine, player) => play(engine, player, 0, Array(8).fill(5000)).filter(({ flagged }) => flagged !== null).length
    const [engine, changing, plain] = [new Engine(anchored), new Engine(anchored), new Engine(rules())]
    assert.equal(flags(engine, 'ana'), 0, 'usual in this game')
    changing.replaceRules(rules())
    for (const other of [changing, plain]) flags(other, 'ana')
    assert.equal(changing.digest(), engine.digest())
    assert.notEqual(plain.digest(), engine.digest(), 'judged by something else')
  })

  test('findings are acted upon only when they agree', () => {
    const engine = new Engine(rules({ alerts: { corroborate: { findings: 2, withinSeconds: 3600 } } }))
    assert.deepEqual(kill(engine, 'k1', 'ana', START, 'hydra', 9000).verdicts, [], 'one alone')
    play(engine, 'ana', 0, usual(20))
    assert.equal(play(engine, 'ana', 20, burst).filter(({ flagged }) => flagged !== null).length, 1, 'another, within the hour')
  })

  test('a storm of one player buries nobody else', () => {
    const storm = (more) => {
      const engine = new Engine(rules({ detectors: { z: { kind: 'zScore', threshold: '0.001' } }, ...more }))
      return play(engine, 'ana', 0, Array.from({ length: 60 }, (_, n) => 10 + n * n)).filter(({ flagged }) => flagged !== null).length
    }
    assert.ok(storm({}) > 40)
    assert.equal(storm({ alerts: { perPlayerDay: 3 } }), 3)
  })

  test('what is learned survives a snapshot, bit for bit', () => {
    const amounts = [...usual(50), ...burst]
    const whole = (engine, from, until) => amounts.slice(from, until).forEach((deltaXp, n) => submit(engine, timeOf(from + n), `e${from + n}`, 'ana', 'progression', { deltaXp }))
    const through = new Engine(rules())
    whole(through, 0, amounts.length)
    for (const cut of [1, 17, 55]) {
      const first = new Engine(rules())
      whole(first, 0, cut)
      const restored = Engine.restore(rules(), first.snapshot())
      whole(restored, cut, amounts.length)
      assert.equal(restored.digest(), through.digest(), `cut at ${cut}`)
    }
  })

  test('bad families say where', () => {
    const read = (detectors, more = {}) => {
      try {
        rules({ detectors, ...more })
      } catch ({ name, path, issue }) {
        return [name, path, issue]
      }
    }
    const family = (members) => read({ f: { kind: 'family', ...members } })
    assert.deepEqual(family({ action: 'ban' }), ['RulesError', '/detectors/f/action', 'invalid_format'])
    assert.deepEqual(family({ thresholds: { robust: 18 } }), ['RulesError', '/detectors/f/thresholds/robust', 'wrong_type'])
    assert.deepEqual(family({ drops: { d: { boss: 'b', odds: '1' } } }), ['RulesError', '/detectors/f/drops/d/odds', 'out_of_range'])
    assert.deepEqual(read({}, { alerts: { perPlayerDay: 0 } }), ['RulesError', '/alerts/perPlayerDay', 'out_of_range'])
  })
})

test('whatever they are called with, they answer or refuse with a code', (t) => {
  const random = seeded(t)
  const VALUES = [
    undefined, null, NaN, Infinity, -1, 0, 1, 0.5, 2 ** 53, 2n ** 70n, 1n, true, '', 'a', 'hydra', '\ud800', {}, [], [undefined], () => 1, Symbol('x'), new Date(NaN), new Date(5), new Uint8Array(3),
    new Float64Array(2), Float64Array.of(1, NaN), new BigInt64Array(2), new Uint32Array(2), new Population(), new PlayerProfile(), Object.create(PlayerProfile.prototype), new Proxy({}, {}),
    { boss: 'hydra', durationMs: 5 }, { activity: 'a', amount: 1 }, { drop: 'crown', chances: 1 }, { perPlayer: 0.1 }, { nowMs: 1 }, new TimeFloor({ minimumMs: 3 }).score(1)
  ]
  const any = () => random.pick(VALUES)
  const some = (...keys) => Object.fromEntries(keys.filter(() => random.below(5) > 0).map((key) => [key, any()]))
  const [family, profile, anchored] = [new Family().boss('hydra').dropOdds('crown', 0.05), new PlayerProfile(), rules()]
  const CALLS = [
    () => new Family(some('population', 'thresholds')), () => family.boss(any(), any()), () => family.dropOdds(any(), any()),
    () => family.observe(profile, some('atMs', 'gain', 'kill', 'drops')), () => family.score(any(), { atMs: 1, ...some('gain', 'kill', 'drops') }),
    () => family.observe(profile, { atMs: 1, gain: some('activity', 'amount', 'boost') }), () => family.observe(profile, { atMs: 1, drops: some('drop', 'chances', 'hits') }),
    () => family.observeMany(profile, some('atMs', 'activity', 'amount', 'boost', 'boss', 'durationMs', 'drop', 'chances', 'hits')),
    () => family.observeMany(profile, { atMs: new Float64Array(2), ...some('boss', 'durationMs') }),
    () => profile.merge(any()), () => PlayerProfile.fromBytes(any()), () => Population.fromBytes(any()), () => AlertTally.fromBytes(any()),
    () => new PopulationBuilder().gain(any(), some('atMs', 'activity', 'amount', 'boost')), () => new PopulationBuilder().kill(any(), some('at', 'boss', 'durationMs')),
    () => new PopulationBuilder().teachNdjson(any(), any()), () => new Calibrator().add(any(), any()), () => new Calibrator().thresholds(any()), () => new Calibrator().player().observe(any()),
    () => anchored.calibrate(any(), any(), any()), () => anchored.calibrate('cheats', any(), { perPlayer: 0.1 }), () => anchored.withPopulation(any()), () => anchored.withThresholds('cheats', any()),
    () => new Cusum(some('threshold', 'prior')).observeMany(any()), () => Cusum.fromBytes(any(), any()), () => new DropRate(some('odds', 'threshold')).observe(any(), any()),
    () => new Regularity(some('threshold', 'population')).observe(any()), () => new Robust().merge(any()), () => new Hysteresis().isFirst(any()), () => sentenceOf(some('score', 'baseline')),
    () => new AlertBudget(some('perDay')).allows(any(), any()), () => new AlertBudget({ perDay: 1 }).allows(new AlertTally(), any())
  ]
  for (let round = 0; round < 300; round++) {
    for (const call of CALLS) {
      try {
        call()
      } catch (error) {
        assert.ok(typeof error.code === 'string' && /^[a-z_]+$/.test(error.code), `${call}: ${error.stack}`)
      }
    }
  }
})

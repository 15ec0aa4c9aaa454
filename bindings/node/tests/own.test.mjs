// Options, lists and receivers are what the caller gave, not what a prototype lends: another package may have polluted it.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import vm from 'node:vm'
import * as module from '../index.mjs'
import {
  Archive, Calendar, Command, Engine, EventParser, Family, Intake, Leaderboard, LevelCurve, Loot, Overflow, Population, Quota, RateLimiter, Refusal, Rules,
  Signer, SlidingLimiter, Streak, Verifier, WindowedLeaderboard, generateSecret, planMigration, validate, verifyChain
} from '../index.mjs'
import { NOW_MS, event, rules } from './game.mjs'

const at = { nowMs: NOW_MS }
const secret = generateSecret()
const curve = LevelCurve.table([100])

/** Runs something while every object has these members. */
function polluted (prototype, members, work) {
  Object.assign(prototype, members)
  try {
    return work()
  } finally {
    for (const name of Object.keys(members)) delete prototype[name]
  }
}

const coded = (work, note) => assert.throws(work, (error) => {
  assert.ok(error instanceof TypeError || error instanceof RangeError || error.code === 'secret_invalid', `${note}: ${error.stack}`)
  assert.match(String(error.code), /^(invalid_argument|out_of_range|too_long|secret_invalid|wrong_type|missing)$/, `${note}: ${error.stack}`)
  return true
}, note)

describe('what anything puts on Object.prototype', () => {
  test('lets no unsigned event in', () => {
    const body = event('evt_1', 'a', 1)
    for (const lent of [{ trustedPlayer: 'a' }, { trusted: true }, { trustedPlayer: 'a', trusted: true }]) {
      const intake = new Intake(rules(), { secret, quotas: false })
      polluted(Object.prototype, lent, () => {
        assert.throws(() => intake.admit({}, body, at), { code: 'missing_header' })
        assert.throws(() => intake.admit({}, body, { ...at, address: '::1' }), { code: 'missing_header' })
        assert.equal(intake.admitBatch([{ headers: {}, body }], at)[0].code, 'missing_header')
        assert.throws(() => new Intake(rules(), {}), { code: 'secret_invalid' })
        assert.throws(() => new Intake(rules()), { code: 'secret_invalid' })
      })
    }
  })

  test('is no option, whatever its name', () => {
    const lent = {
      nowMs: 5, now: new Date(5), ts: 5, at: new Date(5), atMs: 5, index: 5, earlier: 1, limit: 1, offset: 1, order: 'asc', operator: 'set', name: 'lent', capacity: -1,
      percent: '50', from: 1, through: 2, tier: 't', ranks: [1, 2], maxLevel: 3, cumulative: true, rounding: 'ceil', times: {}, totals: [0, 1], feed: -1, secret: 7, keys: 7,
      scheme: 7, toleranceSeconds: -1, quotas: 7, firstIssue: 7, population: 7, lootSeed: 7, cost: -1, burst: 0, whenFull: 7, calendar: 7, windows: 7, boosts: 7, rules: 7,
      missedDaysMax: -1, pity: 7, guaranteed: 7, misses: -1, grantedThrough: -1, players: -1, subscore: 0.5, subscores: 7, places: 7, names: 7, atBig: 7, self: Object.prototype
    }
    polluted(Object.prototype, lent, () => {
      const board = new Leaderboard()
      board.submitBatch(['ana', 'bo'], [5, 7])
      assert.deepEqual([board.name, board.top(1)[0].playerId, board.byScoreRange(0, 9).length], [null, 'bo', 2])
      assert.equal(board.awards([{ tier: 'gold', percent: '100' }]).length, 2)
      assert.deepEqual(LevelCurve.linear(10, 0, { maxLevel: 3 }).costs(), [10, 10])
      assert.deepEqual(LevelCurve.table([1, 2]).costs(), [1, 2])
      assert.equal(new Quota({ limit: 2, periodSeconds: 1 }).burst, 2)
      assert.ok(new RateLimiter({ limit: 2, periodSeconds: 1 }).check('a', {}).allowed)
      const engine = new Engine(rules())
      assert.ok(engine.advance().now > NOW_MS - 1e12)
      assert.equal(engine.board('xp').top('daily', 1, {}).length, 0)
      const windowed = new WindowedLeaderboard({ windows: { daily: 1 } })
      windowed.submit('ana', 5)
      assert.equal(windowed.top('daily', 9)[0].score, 5)
      assert.throws(() => validate(event('e', 'ana', 1), { firstIssue: true, rules: rules() }), { code: 'too_old' }, 'by the clock')
      assert.equal(Command.erase({ id: 'a', player: 'b', nowMs: 9 }).toJSON().ts, 9)
      assert.equal(planMigration(curve, curve, { policy: 'keepTotalXp' }, [{ xp: 5 }]).players, 1)
      const verifier = new Verifier(secret)
      assert.throws(() => verifier.verify({}, ''), { code: 'missing_header' })
      const loot = new Loot({ entries: [{ name: 'crown', weight: 1 }] })
      assert.equal(loot.roll({ seed: new Uint8Array(32), table: 't', player: 'p', nonce: 0 }).missesAfter, 0)
    })
  })

  test('is no part of an answer', () => {
    const lent = { effect: { minted: [{ amount: 1e9 }] }, refusal: { kind: 'refusal', code: 'lent', headers: [] }, refused: {}, verified: {}, next: 'zzz', index: 7 }
    const engine = new Engine(rules())
    const intake = new Intake(rules(), { secret, trusted: false })
    const board = new Leaderboard()
    board.submitBatch(['ana', 'bo'], [5, 7])
    const headers = new Signer(secret).sign('e', 'body', at)
    const [set, late] = [5, 6].map((id) => Command.review({ id: `a${id}`, player: 'ana', suspicion: id, ruling: 'release', ...at }))
    const good = Command.erase({ id: 'good', player: 'ana', ...at })
    const told = polluted(Object.prototype, lent, () => ({
      one: engine.submit(set), many: [...engine.submitBatch([late, good])], page: board.pageAfter(null, 9), signed: new Verifier(secret).verifyBatch([[headers, 'body']], at)[0],
      thrown: (() => { try { intake.admit({}, event('e', 'ana', 1), at) } catch (error) { return error } })()
    }))
    for (const refused of [told.one, told.many[0]]) {
      assert.deepEqual([refused.status, refused.effect], ['refused', null])
      assert.throws(() => refused.unwrap(), { code: refused.code, name: 'Refusal' })
    }
    assert.deepEqual([told.many[1].status, told.many[1].error, told.many[1].httpStatus], ['applied', null, 202])
    assert.equal(told.page.next, null)
    assert.equal(told.signed.messageId, 'e')
    assert.equal(Object.hasOwn(told.thrown, 'index'), false)
  })

  test('fills no hole of an array', () => {
    const hole = (values) => Object.assign(Array(values.length + 1), values)
    const tier = { tier: 'gold', ranks: [1, 1] }
    const key = { id: 'k', secret }
    for (const [lent, works] of [
      ['ana', [() => new Leaderboard().byOwners(hole(['bo'])), () => new Leaderboard().submitBatch(hole([]), [1]), () => verifyChain(hole([]), '0'.repeat(64))]],
      [1, [() => LevelCurve.table(hole([])), () => new Leaderboard().submitBatch(['ana'], hole([])), () => planMigration(curve, curve, { policy: 'keepTotalXp' }, hole([1]))]],
      [tier, [() => new Leaderboard().awards(hole([tier]))]],
      [key, [() => new Verifier(hole([key])), () => new Intake(rules(), { keys: hole([key]) })]],
      [Command.erase({ id: 'a', player: 'b', nowMs: 1 }), [() => new Engine(rules()).submitBatch(hole([]))]]
    ]) {
      for (const work of works) {
        polluted(Array.prototype, { 0: lent, 1: lent }, () => coded(work, String(work)))
        coded(work, String(work))
      }
    }
  })
})

describe('instances of classes', () => {
  test('that are meant are taken', () => {
    const own = Rules.fromJson('{"version": 1, "game": "g", "events": {"visit": {"fields": {}}}}')
    const visit = JSON.stringify({ id: 'e', type: 'visit', playerId: 'ana', ts: NOW_MS / 1000, payload: {} })
    for (const parser of [new EventParser(own), new EventParser({ rules: own })]) assert.equal(parser.parse(visit, at).type, 'visit')
    const tokyo = new Calendar({ utcOffsetMinutes: 540, resetMinute: 300 })
    assert.deepEqual(new Calendar(tokyo).period('daily', NOW_MS), tokyo.period('daily', NOW_MS))
    assert.deepEqual(new Family(new Population()).thresholds, new Family().thresholds)
    const quota = new Quota({ limit: 5, periodSeconds: 60, burst: 2 })
    assert.deepEqual(new Quota(quota), quota)
    assert.equal(new RateLimiter(quota).check('a', at).remaining, 1)
    assert.equal(new Streak(new Streak({ lastDay: 3, length: 2 })).length, 2)
    assert.equal(new Overflow(new Overflow({ rest: 2 })).rest, 2)
  })

  test('that are not are refused', () => {
    class Settings { limit = 5 }
    const game = rules()
    for (const work of [
      () => new Verifier(secret, game), () => new Engine(game, game), () => new Intake(game, game), () => new Leaderboard(new Settings()), () => new Calendar(game),
      () => new Family(game), () => new EventParser(new Population()), () => new RateLimiter(new Settings()), () => new SlidingLimiter(new Map()), () => validate('{}', game),
      () => new Engine(game).advance(new Date()), () => new Leaderboard(Object.create({ order: 'asc' })), () => Archive.of(new Leaderboard(), new Map())
    ]) coded(work, String(work))
  })

  test('objects of another realm, or of no class, are as good as any', () => {
    assert.equal(new Leaderboard(vm.runInNewContext('({ name: "xp" })')).name, 'xp')
    assert.equal(new Leaderboard(Object.assign(Object.create(null), { name: 'xp' })).name, 'xp')
  })
})

test('lists longer than any are refused at once', () => {
  const endless = new Array(2 ** 32 - 1)
  for (const work of [
    () => new Leaderboard().byOwners(endless), () => new Engine(rules()).board('xp').at('daily', at).byOwners(endless), () => new Engine(rules()).submitBatch(endless),
    () => LevelCurve.table(endless), () => new Leaderboard().submitBatch(endless, endless), () => planMigration(curve, curve, { policy: 'keepTotalXp' }, endless),
    () => new Verifier(endless), () => new Loot({ entries: endless }), () => new Calendar().closedBetween(endless, 0, 1)
  ]) {
    // Whoever looked at each of four billion holes would never come to this.
    assert.throws(work, { name: 'RangeError', code: 'too_long' }, String(work))
  }
  const forever = { * [Symbol.iterator] () { for (;;) yield 1 } }
  assert.throws(() => planMigration(curve, curve, { policy: 'keepTotalXp' }, forever), { code: 'too_long' })
})

test('levels that no curve has', () => {
  const plan = planMigration(curve, LevelCurve.table([10, 10, 10]), { policy: 'keepTotalXp' }, [{ xp: 500, grantedThrough: 4_294_967_295 }])
  assert.deepEqual([plan.players, plan.rise, plan.minted], [1, 1, []])
})

test('methods called on anything but their own object', () => {
  const others = [{}, undefined, null, 7, 'x', new Leaderboard(), new Engine(rules()), new Quota({ limit: 1, periodSeconds: 1 })]
  const errors = new Set(['LiveopsError', 'RulesError', 'SignatureError', 'ValidationError', 'StoreError'])
  for (const [name, Class] of Object.entries(module)) {
    if (name === 'default' || typeof Class !== 'function' || Class.prototype === undefined || errors.has(name)) continue
    for (let prototype = Class.prototype; prototype !== Object.prototype && prototype !== Error.prototype; prototype = Object.getPrototypeOf(prototype)) {
      if (prototype === Object.getPrototypeOf(Refusal.prototype)) break
      for (const [key, { value, get }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) called(`${name}.${key}`, key, value ?? get, Class)
      const iterate = Object.getOwnPropertyDescriptor(prototype, Symbol.iterator)?.value
      if (iterate) called(`${name}[Symbol.iterator]`, 'iterator', function () { return [...iterate.call(this)] }, Class)
    }
  }
  function called (note, key, method, Class) {
    if (typeof method !== 'function' || key === 'constructor' || note === 'Secret.toJSON') return
    for (const other of [...others.filter((other) => !(other instanceof Class)), Object.create(Class.prototype)]) {
      let answer
      try {
        answer = method.call(other)
      } catch (error) {
        assert.equal(typeof error.code, 'string', `${note}: ${error.stack}`)
        assert.ok(!error.code.startsWith('ERR_') && !/Expected|InvalidArg/.test(error.code), `${note}: ${error.stack}`)
        continue
      }
      if (answer instanceof Promise) answer.catch(() => {})
      else assert.fail(`${note} answers ${String(answer)}`)
    }
  }
})

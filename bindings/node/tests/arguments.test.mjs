// Nothing becomes another value on its way through Node-API: it is what was said, or an error.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  Calendar, Command, Engine, EventParser, Intake, Leaderboard, LevelCurve, Loot, Overflow, Progression, Quota, RateLimiter, Refusal, Rules, RulesError,
  SlidingLimiter, SlidingLog, SqliteStore, Streak, TimeFloor, Verifier, WindowedLeaderboard, ZScore, gcra, generateSecret, hmacSha256Hex, migrateXp, planMigration,
  receiptId, receiptState, validate, verifyChain, verifyReceipt
} from '../index.mjs'
import * as module from '../index.mjs'
import { createRequire } from 'node:module'
import { NOW_MS, event, rules } from './game.mjs'

const MAX = Number.MAX_SAFE_INTEGER
const NOT_WHOLE = [NaN, Infinity, -Infinity, 1.9, '1', null, undefined, true, {}, [1], () => 1, new Date(NaN), Symbol('x')]
const TOO_FAR = [2 ** 53, -(2 ** 53), 2 ** 64, 2n ** 53n, -(2n ** 53n), 2n ** 64n]
const NOT_TEXT = ['\ud800', 'a\udc00b', '\udc00\ud800', 7, null, undefined, true, {}, ['a'], Symbol('x')]

const engine = new Engine(rules())
const standings = engine.board('xp').at('daily', { nowMs: NOW_MS })
const board = new Leaderboard()
const order = { id: 'a1', player: 'ana', xp: 1, reason: 'r', nowMs: NOW_MS }
const curve = LevelCurve.table([1])
const chest = new Loot({ entries: [{ name: 'crown', weight: 1 }] })
const rolled = { seed: new Uint8Array(32), table: 'chest', player: 'ana', nonce: 0, misses: 0 }
const policy = { policy: 'keepTotalXp' }
const receipt = { number: 1, id: '0'.repeat(64) }
const reward = { game: 'g', player: 'ana', reward: 'r', scope: { level: 2 } }
const windowed = new WindowedLeaderboard({ windows: { daily: 1 } })

const INTEGERS = {
  'adjust xp': (value) => Command.adjust({ ...order, xp: value }),
  'adjust nowMs': (value) => Command.adjust({ ...order, nowMs: value }),
  'review suspicion': (value) => Command.review({ id: 'a', player: 'ana', suspicion: value, ruling: 'release', nowMs: 1 }),
  advance: (value) => new Engine(rules()).advance({ nowMs: value }),
  submitNdjson: (value) => engine.submitNdjson('', { nowMs: value }),
  admit: (value) => new Intake(rules(), { trusted: true }).admit({}, event('e', 'ana', 1), { nowMs: value }),
  validate: (value) => validate(event('e', 'ana', 1), { nowMs: value }),
  top: (value) => engine.board('xp').top('daily', value ?? 'none', { nowMs: NOW_MS }),
  page: (value) => standings.page(value, 1),
  'period index': (value) => engine.board('xp').of({ window: 'daily', index: value }),
  countAbove: (value) => standings.countAbove(value),
  feedPage: (value) => engine.feedPage(null, value ?? 'none'),
  'feed partition': (value) => engine.feed(null, { partition: value ?? 'none' }),
  last: (value) => engine.last(value ?? 'none'),
  playersPage: (value) => engine.playersPage(null, value ?? 'none'),
  closedBetween: (value) => engine.closedBetween(value, 1),
  'board countAbove': (value) => board.countAbove(value),
  'board capacity': (value) => new Leaderboard({ capacity: value ?? 'none' }),
  'board page': (value) => board.page(0, value),
  'board pageAfter': (value) => board.pageAfter(null, value ?? 'none'),
  'board around': (value) => board.around('ana', value ?? 'none'),
  'board range': (value) => board.byScoreRange(0, value),
  'engine range': (value) => standings.byScoreRange(value, 1),
  'engine pageAfter': (value) => standings.pageAfter(null, value ?? 'none'),
  'payout index': (value) => engine.payout('xp', { window: 'daily', index: value }, { nowMs: NOW_MS }),
  'tier rank': (value) => board.awards([{ tier: 'gold', ranks: [1, value] }]),
  replaceRules: (value) => engine.replaceRules(rules(), { nowMs: value }),
  'windowed batch': (value) => windowed.submitBatch(['ana'], [1], { nowMs: value }),
  'windowed page': (value) => windowed.page('daily', value, 1, { nowMs: NOW_MS }),
  'windowed period': (value) => windowed.page({ window: 'daily', index: value }, 0, 1, { nowMs: NOW_MS }),
  'curve level': (value) => LevelCurve.table([1]).cost(value),
  'curve xp': (value) => LevelCurve.table([1]).levelAt(value),
  'curve base': (value) => LevelCurve.linear(value, 1, { maxLevel: 2 }),
  'curve highest level': (value) => LevelCurve.linear(1, 1, { maxLevel: value ?? 'none' }),
  'curve total': (value) => LevelCurve.table([0, value], { cumulative: true }),
  'curve gained': (value) => curve.gained(0, value),
  'piece level': (value) => LevelCurve.piecewise([[value, curve]]),
  'grant total': (value) => new Progression(curve).grant(value, 1, { nowMs: 1 }),
  'grant requested': (value) => new Progression(curve).grant(1, value, { nowMs: 1 }),
  'grant today': (value) => new Progression(curve).grant(1, 1, { grantedToday: value ?? 'none', nowMs: 1 }),
  'grant now': (value) => new Progression(curve).grant(1, 1, { nowMs: value }),
  'daily cap': (value) => new Progression(curve, { dailyXpCap: value ?? 'none' }),
  'boost from': (value) => new Progression(curve, { boosts: [{ id: 'b', from: value, until: MAX, factor: '2' }] }),
  'streak day': (value) => new Streak().step(value),
  'streak length': (value) => new Streak({ length: value ?? 'none' }),
  'streak missed': (value) => new Streak().lengthOn(1, { missedDaysMax: value ?? 'none' }),
  'overflow surplus': (value) => new Overflow().gather(value, 1),
  'overflow every': (value) => new Overflow().gather(1, value),
  'overflow rest': (value) => new Overflow({ rest: value ?? 'none' }),
  migrateXp: (value) => migrateXp(curve, curve, policy, { xp: value }),
  'migrated through': (value) => migrateXp(curve, curve, policy, { xp: 1, grantedThrough: value ?? 'none' }),
  planMigration: (value) => planMigration(curve, curve, policy, [{ xp: value }]),
  'planned players': (value) => planMigration(curve, curve, policy, [{ xp: 1, players: value ?? 'none' }]),
  migrations: (value) => engine.migrations({ nowMs: value }),
  explain: (value) => engine.explain('ana', { nowMs: value }),
  'claim number': (value) => Command.claim({ player: 'ana', receipt: { ...receipt, number: value }, nowMs: 1 }),
  'claim now': (value) => Command.claim({ player: 'ana', receipt, nowMs: value }),
  'revoke ts': (value) => Command.revoke({ id: 'r', player: 'ana', receipt, reason: 'r', ts: value }),
  'migrate version': (value) => Command.migrate({ player: 'ana', curve, version: value ?? 'none', nowMs: 1 }),
  'migrate now': (value) => Command.migrate({ player: 'ana', curve, version: 1, nowMs: value }),
  'loot weight': (value) => new Loot({ entries: [{ name: 'crown', weight: value }] }),
  'loot amount': (value) => new Loot({ entries: [{ name: 'crown', weight: 1 }], guaranteed: [{ kind: 'item', id: 'x', amount: value }] }),
  'loot pity': (value) => new Loot({ entries: [{ name: 'crown', weight: 1 }], pity: { entry: 'crown', guaranteedAt: value } }),
  'roll nonce': (value) => chest.roll({ ...rolled, nonce: value }),
  'roll misses': (value) => chest.roll({ ...rolled, misses: value ?? 'none' }),
  'receipt index': (value) => receiptId({ ...reward, index: value ?? 'none' }),
  'receipt now': (value) => receiptState({}, { nowMs: value }),
  'limiter limit': (value) => new RateLimiter({ limit: value, periodSeconds: 1 }),
  'limiter period': (value) => new RateLimiter({ limit: 1, periodSeconds: value }),
  'limiter capacity': (value) => new RateLimiter({ limit: 1, periodSeconds: 1, capacity: value ?? 'none' }),
  'limiter cost': (value) => new RateLimiter({ limit: 1, periodSeconds: 1 }).check('ana', { cost: value ?? 'none' }),
  'limiter now': (value) => new RateLimiter({ limit: 1, periodSeconds: 1 }).checkAll([], { nowMs: value }),
  'quota burst': (value) => new Quota({ limit: 1, periodSeconds: 1, burst: value ?? 'none' }),
  'quota period': (value) => new Quota({ limit: 1, periodMillis: value }),
  'sliding window': (value) => new SlidingLimiter({ limit: 1, windowSeconds: value }),
  'log window': (value) => new SlidingLog({ limit: 1, windowMillis: value }),
  'gcra state': (value) => gcra(value ?? undefined, { limit: 1, periodSeconds: 1 }),
  'gcra now': (value) => gcra(null, { limit: 1, periodSeconds: 1 }, { nowMs: value }),
  tolerance: (value) => new Verifier(generateSecret(), { toleranceSeconds: value ?? 'none' }),
  'longest body': (value) => new Verifier(generateSecret(), { bodyBytesMax: value ?? 'none' }),
  verifyBatch: (value) => new Verifier(generateSecret()).verifyBatch([], { nowMs: value }),
  admitBatch: (value) => new Intake(rules(), { trusted: true }).admitBatch([], { nowMs: value }),
  parse: (value) => new EventParser().parse(event('e', 'ana', 1), { nowMs: value }),
  validateBatch: (value) => new EventParser().validateBatch('', { nowMs: value }),
  floor: (value) => new TimeFloor({ minimumMs: value }),
  calendar: (value) => new Calendar().period('daily', value)
}

const TEXTS = {
  player: (value) => engine.player(value),
  receipts: (value) => engine.receipts(value),
  receiptsPage: (value) => engine.receiptsPage(value),
  consumer: (value) => engine.ack(value),
  cursor: (value) => engine.playersPage(value ?? 7),
  'feed cursor': (value) => engine.feed(value ?? 7),
  'store path': (value) => new SqliteStore(value),
  suspicions: (value) => engine.suspicions(value),
  board: (value) => engine.board(value),
  rank: (value) => standings.rank(value),
  byOwners: (value) => standings.byOwners([value]),
  'command id': (value) => Command.erase({ ...{ id: value, player: 'ana', nowMs: 1 } }),
  reason: (value) => Command.adjust({ ...order, reason: value }),
  'board owner': (value) => board.rank(value),
  'board name': (value) => new Leaderboard({ name: value ?? 7 }),
  'batch owner': (value) => board.submitBatch([value], [1]),
  'board cursor': (value) => board.pageAfter(value ?? 7, 1),
  'board percentile': (value) => board.percentile(value),
  'engine percentile': (value) => standings.percentile(value),
  'payout board': (value) => engine.payout(value, 'daily', { nowMs: NOW_MS }),
  tier: (value) => board.awards([{ tier: value, ranks: [1, 1] }]),
  percent: (value) => board.awards([{ tier: 'gold', percent: value ?? 7 }]),
  'windowed owner': (value) => windowed.hide(value),
  'windowed rank': (value) => windowed.rank('daily', value, { nowMs: NOW_MS }),
  'limiter key': (value) => new RateLimiter({ limit: 1, periodSeconds: 1 }).check(value),
  'limiter keys': (value) => new RateLimiter({ limit: 1, periodSeconds: 1 }).checkAll([[{ limit: 1, periodSeconds: 1 }, value]]),
  'sliding key': (value) => new SlidingLimiter({ limit: 1, windowSeconds: 1 }).check(value),
  policy: (value) => new SlidingLog({ limit: 1, windowSeconds: 1 }).check().headers(value ?? 7),
  'trusted player': (value) => new Intake(rules(), { trusted: true }).admit({}, event('e', 'ana', 1), { trustedPlayer: value }),
  rules: (value) => Rules.fromJson(value),
  'rules file': (value) => Rules.fromFile(value),
  hmac: (value) => hmacSha256Hex('key', value),
  lines: (value) => engine.submitNdjson(value, { nowMs: NOW_MS }),
  body: (value) => validate(value, { nowMs: NOW_MS }),
  coefficient: (value) => LevelCurve.polynomial([value], { maxLevel: 9 }),
  'factor of a curve': (value) => LevelCurve.polynomial(['1'], { maxLevel: 9, times: { coefficients: [value] } }),
  'boost factor': (value) => new Progression(curve, { boosts: [{ id: 'b', from: 0, until: 1, factor: value }] }),
  'boost id': (value) => new Progression(curve, { boosts: [{ id: value, from: 0, until: 1, factor: '2' }] }),
  explain: (value) => engine.explain(value, { nowMs: 1 }),
  chainHead: (value) => engine.chainHead(value),
  'claim player': (value) => Command.claim({ player: value, receipt, nowMs: 1 }),
  'claim receipt': (value) => Command.claim({ player: 'ana', receipt: { ...receipt, id: value }, nowMs: 1 }),
  'revoke reason': (value) => Command.revoke({ id: 'r', player: 'ana', receipt, reason: value, nowMs: 1 }),
  'migrate player': (value) => Command.migrate({ player: value, curve, version: 1, nowMs: 1 }),
  'migrate curve': (value) => Command.migrate({ player: 'ana', curve: value, version: 1, nowMs: 1 }),
  'loot entry': (value) => new Loot({ entries: [{ name: value, weight: 1 }] }),
  'loot kind': (value) => new Loot({ entries: [{ name: 'crown', weight: 1, items: [{ kind: value, id: 'x', amount: 1 }] }] }),
  'loot of rules': (value) => rules().loot(value),
  'loot items': (value) => chest.items(value),
  'loot average': (value) => chest.expectedRolls(value),
  'roll table': (value) => chest.roll({ ...rolled, table: value }),
  'roll player': (value) => chest.roll({ ...rolled, player: value }),
  'receipt game': (value) => receiptId({ ...reward, game: value }),
  'receipt reward': (value) => receiptId({ ...reward, reward: value }),
  'chain head': (value) => verifyChain([], value),
  'receipt signature': (value) => verifyReceipt([{ id: 'k', secret: generateSecret() }], {}, value),
  growth: (value) => LevelCurve.exponential(250, value, { maxLevel: 9 })
}

const refused = (work, note, code = 'invalid_argument') => assert.throws(work, (error) => {
  assert.ok(error instanceof TypeError || error instanceof RangeError, `${note}: ${error.stack}`)
  assert.equal(error.code, code, note)
  return true
}, note)

describe('integers', () => {
  for (const [name, call] of Object.entries(INTEGERS)) {
    test(name, () => {
      for (const value of NOT_WHOLE) refused(() => call(value), `${name} ${String(value)}`)
      for (const value of TOO_FAR) refused(() => call(value), `${name} ${String(value)}`, 'out_of_range')
    })
  }

  test('what is whole arrives whole, as number or BigInt', () => {
    for (const value of [MAX, -MAX, 0, BigInt(MAX), -1n]) {
      const standings = engine.board('xp').at('daily', { nowMs: NOW_MS })
const board = new Leaderboard()
      assert.equal(board.submit('ana', value).score, Number(value))
      assert.equal(board.top(1)[0].score, Number(value))
    }
    assert.equal(Command.adjust({ ...order, xp: BigInt(-MAX) }).toJSON().xp, -MAX)
    assert.equal(Command.adjust({ ...order, nowMs: -5 }).toJSON().ts, -5)
  })

  test('a score never leaves what a number holds', () => {
    for (const [operator, value] of [['incr', 1], ['decr', -1]]) {
      const board = new Leaderboard({ operator })
      board.submit('ana', operator === 'incr' ? MAX : -MAX)
      assert.throws(() => board.submit('ana', value), { code: 'score_overflow' })
      assert.deepEqual(board.score('ana'), { score: MAX, subscore: 0 })
    }
    const pairs = new Leaderboard()
    pairs.submit('ana', 0, { subscore: MAX })
    assert.throws(() => pairs.submit('ana', 0, { subscore: 1 }), { code: 'score_overflow' })
    const board = new WindowedLeaderboard({ windows: { daily: 1, allTime: 0 } })
    board.submit('ana', MAX, { nowMs: NOW_MS })
    const tomorrow = { nowMs: NOW_MS + 86_400_000 }
    assert.throws(() => board.submit('ana', 1, tomorrow), { code: 'score_overflow' })
    assert.deepEqual(board.top('daily', 9, tomorrow), [], 'into every window or into none')
  })
})

test('a score beyond what every language holds is the core\'s to refuse', () => {
  const boards = [new Leaderboard(), new WindowedLeaderboard({ windows: { daily: 1 } })]
  for (const board of boards) {
    for (const [make, note] of [[(value) => board.submit('ana', value), 'one'], [(value) => board.submit('ana', 1, { subscore: value }), 'subscore']]) {
      for (const value of TOO_FAR.slice(0, 2)) assert.throws(() => make(value), { code: 'score_overflow' }, note)
      assert.throws(() => make(2n ** 53n), { code: 'score_overflow' }, note)
      for (const value of [2 ** 64, -(2n ** 64n)]) refused(() => make(value), `${note} ${String(value)}`, 'out_of_range')
      for (const value of NOT_WHOLE) {
        if (note !== 'subscore' || value !== undefined) refused(() => make(value), `${note} ${String(value)}`)
      }
    }
    for (const value of [2 ** 53, -(2n ** 53n)]) {
      assert.throws(() => board.submitBatch(['bo', 'ana'], [1, value]), { code: 'score_overflow', index: 1 })
      assert.throws(() => board.submitBatch(['bo', 'ana'], BigInt64Array.of(1n, BigInt(value))), { code: 'score_overflow', index: 1 })
    }
    for (const value of NOT_WHOLE) refused(() => board.submitBatch(['ana'], [value]), String(value))
    refused(() => board.submitBatch(['ana'], [2 ** 64]), 'far', 'out_of_range')
  }
  assert.deepEqual([boards[0].length, boards[1].owners], [0, 0])
})

describe('texts', () => {
  for (const [name, call] of Object.entries(TEXTS)) {
    test(name, () => {
      for (const value of NOT_TEXT) refused(() => call(value), `${name} ${String(value)}`)
    })
  }
})

test('an array with a hole in it is refused', () => {
  const hole = Array(1)
  for (const call of [
    () => LevelCurve.table(hole), () => LevelCurve.polynomial(hole, { maxLevel: 3 }), () => LevelCurve.piecewise(hole), () => LevelCurve.fromRules({ kind: 'table', costs: hole }),
    () => new Progression(curve, { boosts: hole }), () => planMigration(curve, curve, policy, hole), () => new Loot({ entries: hole }),
    () => new Loot({ entries: [{ name: 'crown', weight: 1, items: hole }] }), () => verifyChain(hole, receipt.id)
  ]) refused(call, String(call))
})

describe('options and times', () => {
  test('an unknown option is a mistake', () => {
    refused(() => engine.advance({ nowMS: NOW_MS }))
    refused(() => new Engine(rules(), { feeds: 1 }))
    refused(() => Command.erase({ id: 'a', player: 'b', force: true }))
    refused(() => engine.advance(NOW_MS))
    refused(() => engine.advance(null))
  })

  test('a time that is there and undefined is not the present', () => {
    refused(() => engine.advance({ nowMs: undefined }))
    refused(() => engine.advance({ now: undefined }))
    refused(() => engine.advance({ now: NOW_MS }))
    refused(() => engine.advance({ now: new Date(NaN) }))
    refused(() => engine.advance({ nowMs: 1, now: new Date() }))
  })

  test('without a time it is the clock of this machine', () => {
    const before = Date.now()
    const { now } = new Engine(rules()).advance()
    assert.ok(now >= before && now <= Date.now())
  })

  test('a growth in floating point is told to be text', () => {
    assert.throws(() => LevelCurve.exponential(250, 1.2), { name: 'TypeError', code: 'invalid_argument', message: /write '1\.2'/ })
  })

  test('values are not echoed', () => {
    for (const work of [() => engine.player('geheim wort'), () => board.submit('ana', 123456.5), () => validate('{"geheim": 1}', { nowMs: 1 })]) {
      assert.throws(work, (error) => !/wort|123456/.test(error.message))
    }
  })
})

describe('errors', () => {
  test('rules say where', () => {
    assert.throws(() => Rules.fromJson('{"version": 1, "game": "g", "progress": {"curve": {"kind": "exponential", "base": 250, "growth": 1.2}}}'), (error) => {
      assert.ok(error instanceof RulesError)
      assert.deepEqual([error.name, error.code, error.path], ['RulesError', 'rules_invalid', '/progress/curve/growth'])
      assert.match(error.message, /write "1\.2"/)
      return true
    })
    assert.throws(() => Rules.fromFile('/nowhere/rules.json'), { code: 'ENOENT' })
  })

  test('ids have a code of their own', () => {
    assert.throws(() => engine.player('a b'), { name: 'LiveopsError', code: 'id_invalid' })
    assert.throws(() => board.submit('', 1), { name: 'LiveopsError', code: 'id_invalid' })
  })

  test('objects that nobody made', () => {
    for (const Class of [module.Outcomes, module.Board, module.Payout, module.Archive, module.ArchiveView, module.Names, module.Command, module.Rules, module.Secret, module.LevelCurve, module.Detector, module.BatchReport]) {
      refused(() => new Class(), Class.name)
    }
    assert.throws(() => Engine.prototype.digest.call({}), TypeError)
    assert.throws(() => Engine.prototype.submit.call(Object.create(Engine.prototype), Command.erase({ id: 'a', player: 'b', nowMs: 1 })), TypeError)
    assert.equal(new Refusal('m', { code: 'missing', httpStatus: 400, issues: [], problem: {}, headers: [], retryAfter: null }).name, 'Refusal')
  })
})

test('both kinds of import give the same things', () => {
  const required = createRequire(import.meta.url)('../index.js')
  const { default: whole, ...named } = module
  assert.deepEqual(Object.keys(named).sort(), Object.keys(required).sort())
  for (const name of Object.keys(required)) assert.equal(named[name], required[name], name)
  assert.equal(whole, required)
  assert.equal(new ZScore().observe(NaN).reason, 'notFinite', 'for a detector NaN is a value: an anomaly')
})

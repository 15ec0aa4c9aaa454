import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Calendar, Ewma, Leaderboard, LevelCurve, Robust, TimeFloor, WindowedLeaderboard, ZScore } from '../index.mjs'
import { NOW_MS } from './game.mjs'

const DAY_MS = 86_400_000
const at = { nowMs: NOW_MS }

describe('leaderboards', () => {
  test('one set', () => {
    const board = new Leaderboard({ order: 'desc', operator: 'incr' })
    for (const [owner, score] of [['ana', 120], ['bo', 90], ['cy', 90]]) board.submit(owner, score)
    assert.deepEqual([board.rank('ana'), board.rank('nobody'), board.length, board.countAbove(90)], [1, null, 3, 1])
    assert.deepEqual(board.top(2).map((row) => row.playerId), ['ana', 'bo'])
    assert.deepEqual(board.page(1, 1).map((row) => row.playerId), ['bo'])
    assert.deepEqual(board.around('bo', 1).map((row) => row.playerId), ['ana', 'bo', 'cy'])
    assert.deepEqual(board.byOwners(['cy', 'ana']).map((row) => row.rank), [1, 3])
    assert.deepEqual([board.hide('ana'), board.hide('ana'), board.rank('bo'), board.unhide('ana'), board.rank('bo')], [true, false, 1, true, 2])
    assert.deepEqual([board.score('bo'), board.score('nobody'), board.remove('bo'), board.remove('bo')], [{ score: 90, subscore: 0 }, null, true, false])
  })

  test('other ways to sort and count', () => {
    const laps = new Leaderboard({ order: 'asc', operator: 'best', ranking: 'competition', ties: 'ownerId' })
    for (const owner of ['cy', 'bo', 'ana']) laps.submit(owner, 60)
    laps.submit('dee', 61, { subscore: 5, at: new Date(7) })
    assert.deepEqual(laps.top(9).map(({ rank, playerId }) => [rank, playerId]), [[1, 'ana'], [1, 'bo'], [1, 'cy'], [4, 'dee']])
    assert.deepEqual(laps.top(9).at(-1), { rank: 4, playerId: 'dee', score: 61, subscore: 5, reachedAt: 7 })
    assert.throws(() => new Leaderboard({ order: 'down' }), RangeError)
    assert.throws(() => new Leaderboard({ order: 1 }), TypeError)
  })

  test('by calendar', () => {
    const board = new WindowedLeaderboard({ calendar: new Calendar({ graceSeconds: 3600 }), windows: { daily: 1, allTime: 0 } })
    board.submit('ana', 70, at)
    const today = board.current('daily', at)
    const tomorrow = { nowMs: NOW_MS + DAY_MS }
    assert.deepEqual(board.submit('bo', 50, { ts: NOW_MS, ...tomorrow }), [today], 'late for the day')
    assert.deepEqual([board.rank('daily', 'bo', at), board.rank('allTime', 'bo', at)], [null, 2])
    assert.deepEqual(board.top('daily', 9, tomorrow), [])
    assert.equal(board.page(today, 0, 9, tomorrow)[0].score, 70)
    board.advance({ nowMs: NOW_MS + 5 * DAY_MS })
    assert.throws(() => board.page(today, 0, 9, { nowMs: NOW_MS + 5 * DAY_MS }), { code: 'period_dropped' })
    assert.throws(() => new WindowedLeaderboard({ windows: { hourly: 1 } }), { name: 'RangeError', code: 'unknown_window' })
  })
})

describe('curves', () => {
  test('exact', () => {
    const curve = LevelCurve.exponential(250, '1.2', { maxLevel: 60 })
    assert.deepEqual([curve.cost(4), curve.levelAt(1341), curve.levelAt(1342), curve.total(2), curve.maxLevel], [432, 4, 5, 250, 60])
    assert.deepEqual(curve.progress(300), { level: 2, intoLevel: 50, toNext: 250 })
    assert.equal(LevelCurve.table([100, 200]).hash, LevelCurve.linear(100, 100, { maxLevel: 3 }).hash)
    assert.equal(LevelCurve.polynomial(['0', '0.5'], { maxLevel: 4, rounding: 'ceil' }).cost(3), 2)
  })

  test('in pieces', () => {
    const steep = LevelCurve.exponential(250, '1.2', { rounding: 'nearest' })
    const curve = LevelCurve.piecewise([[1, LevelCurve.linear(100, 10)], [4, steep]], { maxLevel: 7 })
    assert.deepEqual([1, 2, 3, 4, 5, 6].map((level) => curve.cost(level)), [100, 110, 120, 250, 300, 360])
    assert.throws(() => steep.cost(1), { name: 'RangeError', code: 'missing', message: /highest level/ })
    assert.throws(() => LevelCurve.piecewise([[2, steep]], { maxLevel: 7 }), RangeError)
    assert.throws(() => LevelCurve.exponential(250, '1,2', { maxLevel: 7 }), RangeError)
  })
})

describe('detectors', () => {
  test('score, then learn', () => {
    const xp = new ZScore({ threshold: 3 })
    for (const value of [100, 120, 90, 110, 100, 95, 105, 115, 85, 100]) assert.equal(xp.observe(value).isAnomaly, false)
    assert.equal(xp.score(5000).baseline.n, 10)
    const verdict = xp.observe(5000)
    assert.deepEqual([verdict.reason, verdict.action, verdict.baseline.mean, verdict.baseline.n], ['farFromMean', 'flag', 102, 10])
    xp.learn(100)
    assert.equal(xp.score(100).baseline.n, 12)
  })

  test('each kind', () => {
    const recent = new Ewma({ threshold: 4, span: 20 })
    for (let turn = 0; turn < 100; turn++) recent.learn(60_000 - turn * 100 - turn % 3 * 700)
    assert.equal(recent.observe(5000).reason, 'farFromRecent')
    assert.equal(new Robust({ threshold: 6, prior: { mean: 4.6, sd: 1.5, weight: 4 } }).observe(5_000_000).baseline.source, 'population')
    assert.equal(new Robust({ prior: { mean: 20, sd: 1, weight: 4 } }).observe(5_000_000).isAnomaly, false)
    const floor = new TimeFloor({ minimumMs: 45_000 })
    assert.deepEqual([floor.observe(44_999).reason, floor.observe(45_000).isAnomaly], ['belowFloor', false])
    for (const bad of [0, -1, NaN, Infinity]) assert.throws(() => new ZScore({ threshold: bad }), { name: 'RangeError', code: 'out_of_range' })
    assert.throws(() => new Robust({ prior: { mean: 1, sd: 0, weight: 1 } }), RangeError)
    for (const bad of ['5', undefined, null, 5n]) assert.throws(() => new ZScore().observe(bad), TypeError)
  })
})

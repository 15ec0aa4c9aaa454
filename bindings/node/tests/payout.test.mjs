// Boards of an engine: read in any period, archived, and paid once.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Archive, Board, Command, Engine, Names, Payout, Rules, Standings } from '../index.mjs'
import { DOCUMENT, NOW_MS, event, kill, rules } from './game.mjs'

const DAY_MS = 86_400_000
const day = (n) => ({ nowMs: NOW_MS + n * DAY_MS })
const ids = (rows) => Array.from(rows, (row) => row.playerId)
const PAYOUTS = {
  daily: [
    { tier: 'gold', ranks: [1, 1], grant: [{ kind: 'item', id: 'crown', amount: 1 }] },
    { tier: 'top-half', percent: '50', grant: [{ kind: 'currency', id: 'gem', amount: 5 }] }
  ]
}
const paying = (more = {}) => rules({ boards: { xp: { ...DOCUMENT.boards.xp, payouts: PAYOUTS }, laps: { value: 'grantedXp', keepPeriods: { daily: 1 } } }, ...more })

/** Four players: 150, 120, 90 and 60. */
function played () {
  const engine = new Engine(paying())
  engine.submitNdjson([event('e1', 'ana', 150), event('e2', 'bo', 120), event('e3', 'cy', 90), event('e4', 'dee', 60)].join('\n'), day(0))
  return engine
}

function closed () {
  const engine = played()
  engine.advance(day(1))
  return engine
}

const yesterday = { ...day(1), earlier: 1 }
const codes = (engine, payout) => Array.from(engine.submitBatch(payout.commands()), (outcome) => outcome.code)

describe('reading', () => {
  test('a window, one earlier, a period', () => {
    const board = played().board('xp')
    const today = board.period('daily', day(0))
    for (const [window, at] of [['daily', day(0)], ['daily', yesterday], [today, day(1)], [today, undefined]]) {
      assert.deepEqual(ids(board.top(window, 2, at)), ['ana', 'bo'])
      const standings = board.at(window, at)
      assert.deepEqual(ids(standings.around('cy', 1)), ['bo', 'cy', 'dee'])
      assert.deepEqual(ids(standings.byOwners(['cy', 'ana'])), ['ana', 'cy'])
      assert.deepEqual(ids(standings.byScoreRange(60, 120)), ['bo', 'cy', 'dee'])
      assert.deepEqual(ids(standings.byScoreRange(60, 120, { offset: 1, limit: 1 })), ['cy'])
      assert.deepEqual([standings.rank('cy'), standings.percentile('cy'), standings.percentile('x')], [3, 3333, null])
      assert.deepEqual([standings.countAbove(90), standings.length], [2, 4])
      const { rows, next } = standings.pageAfter(null, 3)
      assert.deepEqual([ids(rows), ids(standings.pageAfter(next, 3).rows)], [['ana', 'bo', 'cy'], ['dee']])
      assert.deepEqual(ids(standings), ['ana', 'bo', 'cy', 'dee'])
    }
    assert.deepEqual([0, 1, 9].map((n) => board.state(today, day(n))), ['open', 'sealed', 'dropped'])
    assert.equal(board.state('daily', { ...day(5), earlier: 1 }), 'sealed')
  })

  test('what is not there', () => {
    const board = played().board('xp')
    const daily = board.at('daily', day(0))
    const { next } = daily.pageAfter(null, 1)
    assert.throws(() => board.at('weekly', day(0)).pageAfter(next, 1), { code: 'cursor_invalid' })
    assert.throws(() => daily.pageAfter('ff', 1), { code: 'cursor_invalid' })
    assert.throws(() => board.at('daily', { ...day(0), earlier: 3 }), { code: 'period_dropped' })
    assert.throws(() => board.at('monthly', day(0)), { code: 'unknown_window' })
    for (const work of [
      () => board.top(board.period('daily', day(0)), 1, { earlier: 1 }), () => daily.pageAfter(7, 1), () => board.at('hourly'), () => board.of('daily'),
      () => daily.byScoreRange(0.5, 1), () => daily.byScoreRange(0, 2n ** 53n), () => daily.percentile(NaN), () => board.state(undefined)
    ]) assert.throws(work, { code: /^(invalid_argument|out_of_range|unknown_window)$/ })
  })

  test('an iteration goes on behind its cursor while players move', () => {
    const engine = new Engine(rules())
    const players = Array.from({ length: 700 }, (_, n) => `p${n}`)
    engine.submitNdjson(players.map((player, n) => event('e1', player, 1000 - n)).join('\n'), day(0))
    const seen = []
    for (const { playerId } of engine.board('xp').at('daily', day(0))) {
      if (seen.push(playerId) === 100) engine.submitNdjson(event('e2', 'p650', 5000), day(0))
    }
    assert.deepEqual(seen, players.filter((player) => player !== 'p650'))
  })

  test('a sum that no number holds is not taken', () => {
    const engine = new Engine(rules({
      events: { damage: { fields: { points: { type: 'int' } } } },
      boards: { hits: { value: { field: 'points' }, on: 'damage', keepPeriods: { daily: 1 } } }
    }))
    const hit = (id) => event(id, 'ana', 0, { type: 'damage', payload: { points: Number.MAX_SAFE_INTEGER } })
    assert.deepEqual(engine.submitNdjson(hit('e1'), day(0)).counts(), { applied: 1 })
    assert.equal(engine.board('hits').top('daily', 1, day(0))[0].score, Number.MAX_SAFE_INTEGER)
    assert.deepEqual(engine.submitNdjson(hit('e2'), day(0)).counts(), { score_overflow: 1 })
    assert.equal(engine.board('hits').top('daily', 1, day(0))[0].score, Number.MAX_SAFE_INTEGER)
  })
})

describe('payouts', () => {
  test('pay each player once', () => {
    const engine = closed()
    const payout = engine.payout('xp', 'daily', yesterday)
    assert.ok(payout instanceof Payout && Object.isFrozen(payout))
    assert.deepEqual({ ...payout }, {
      board: 'xp', window: 'daily', index: 20764, closedAt: NOW_MS + DAY_MS / 2, holds: [],
      awards: [{ playerId: 'ana', rank: 1, tier: 'gold', score: 150, subscore: 0 }, { playerId: 'bo', rank: 2, tier: 'top-half', score: 120, subscore: 0 }]
    })
    assert.deepEqual(codes(engine, payout), ['applied', 'applied'])
    assert.deepEqual(codes(engine, payout), ['replayed', 'replayed'])
    assert.deepEqual(codes(engine, engine.payout('xp', 'daily', yesterday)), ['replayed', 'replayed'])
    const receipt = engine.receipts('bo').at(-1)
    assert.deepEqual(receipt.scope, { payout: { board: 'xp', window: 'daily', index: 20764, tier: 'top-half' } })
    assert.deepEqual([receipt.reward, receipt.items, receipt.cause.origin], ['top-half', [{ kind: 'currency', id: 'gem', amount: 5 }], 'operator'])
  })

  test('commands say what they are', () => {
    const [command] = closed().payout('xp', 'daily', yesterday).commands()
    assert.ok(command instanceof Command)
    const { id, ...told } = command.toJSON()
    assert.match(id, /^[0-9a-f]{32}$/)
    assert.deepEqual(told, {
      origin: 'operator', playerId: 'ana', ts: NOW_MS + DAY_MS / 2, receivedAt: NOW_MS + DAY_MS, action: 'payout', board: 'xp', window: 'daily',
      index: 20764, tier: 'gold', rank: 1, items: [{ kind: 'item', id: 'crown', amount: 1 }]
    })
  })

  test('tell what still waits for a review, and leave out who is hidden', () => {
    const engine = played()
    const select = { boards: { xp: { ...DOCUMENT.boards.xp, payouts: PAYOUTS } }, progress: { ...DOCUMENT.progress, xp: [{ on: 'boss_kill', amount: 70 }] } }
    const holding = new Engine(paying(select))
    holding.submitNdjson(kill('k1', 'ana', 100), day(0))
    holding.advance(day(1))
    assert.deepEqual(holding.payout('xp', 'daily', yesterday).holds, [{ playerId: 'ana', suspicion: 1, ts: NOW_MS }])
    engine.advance(day(1))
    const payout = engine.payout('xp', 'daily', yesterday)
    engine.submit(Command.setVisibility({ id: 'v1', player: 'ana', hidden: true, ...day(1) })).unwrap()
    assert.deepEqual(codes(engine, payout), ['player_hidden', 'applied'])
  })

  test('of an archive, when the period is gone', () => {
    const engine = closed()
    const { archive, names } = engine.board('xp').archive('daily', yesterday)
    assert.deepEqual(ids(archive.read(names)), ['ana', 'bo', 'cy', 'dee'])
    assert.deepEqual(codes(engine, engine.payout('xp', 'daily', yesterday)).slice(0, 1), ['applied'])
    engine.advance(day(9))
    const period = { window: 'daily', index: archive.heading.index }
    assert.throws(() => engine.payout('xp', period, day(9)), { code: 'period_dropped' })
    assert.throws(() => engine.board('xp').archive(period, day(9)), { code: 'period_dropped' })
    const [stored, known] = [Archive.fromBytes(archive.toBytes()), Names.fromBytes(names.toBytes())]
    known.forget('bo')
    const payout = engine.payoutArchived(stored, known, day(9))
    assert.deepEqual([ids(payout.awards), codes(engine, payout)], [['ana'], ['replayed']])
    const other = closed().board('laps').archive('daily', yesterday)
    assert.throws(() => engine.payoutArchived(stored, other.names, day(9)), { code: 'invalid_argument' })
    assert.throws(() => engine.payoutArchived(other.archive, other.names, day(9)), { code: 'unknown_payout' })
    assert.throws(() => engine.payoutArchived({}, known), { name: 'TypeError', code: 'invalid_argument' })
    assert.throws(() => engine.payoutArchived(stored), { name: 'TypeError', code: 'invalid_argument' })
  })

  test('of all that closed since a mark, however long ago that was', () => {
    const engine = closed()
    for (let n = 1; n < 9; n++) engine.submitNdjson(event(`d${n}`, 'bo', 10, { ts: (NOW_MS + n * DAY_MS) / 1000 }), day(n))
    engine.advance(day(9))
    const [first] = engine.closedBetween(NOW_MS, NOW_MS + 9 * DAY_MS)
    assert.throws(() => engine.payout('xp', first, day(9)), { code: 'period_dropped' }, 'at which the loop of before stopped for ever')
    const run = engine.payClosed(NOW_MS, day(9))
    assert.deepEqual(run.periods.map(({ label, paid, paidBefore }) => [label, paid, paidBefore]), [['2026-11-14', 1, 0], ['2026-11-15', 1, 0]])
    assert.deepEqual(run.dropped, [{ board: 'xp', window: 'daily', first: first.index, last: first.index + 6 }])
    assert.deepEqual([run.mark, run.periods[0].receipts[0].reward, run.periods[0].unpaid, run.periods[0].holds], [NOW_MS + 9 * DAY_MS, 'gold', [], []])
    assert.equal(engine.board('xp').archive(run.periods[1], day(9)).archive.length, 1, 'it goes wherever a period is meant')
    const digest = engine.digest()
    assert.deepEqual(engine.payClosed(null, day(9)).periods.map(({ paidBefore }) => paidBefore), [1, 1], 'the mark was lost')
    assert.deepEqual(engine.payClosed(new Date(run.mark), day(9)), { mark: run.mark, periods: [], dropped: [] })
    assert.equal(engine.digest(), digest)
    assert.equal(new Engine(rules()).payClosed().mark, null)
    for (const bad of ['x', 0.5, {}, NaN]) assert.throws(() => engine.payClosed(bad, day(9)), { code: 'invalid_argument' })
  })

  test('what cannot be paid', () => {
    const engine = played()
    assert.throws(() => engine.payout('xp', 'daily', yesterday), { code: 'period_open' }, 'the clock alone closes nothing')
    assert.throws(() => engine.board('xp').archive('daily', yesterday), { code: 'period_open' })
    engine.advance(day(1))
    assert.throws(() => engine.payout('no', 'daily', yesterday), { code: 'unknown_board' })
    assert.throws(() => engine.payout('laps', 'daily', yesterday), { code: 'unknown_payout' })
    assert.throws(() => engine.payout('xp', 'monthly', yesterday), { code: 'unknown_window' })
    for (const bad of [undefined, 'hourly', {}, { window: 'daily', index: 0.5 }, 7]) assert.throws(() => engine.payout('xp', bad), { code: bad === 'hourly' ? 'unknown_window' : 'invalid_argument' })
    for (const Class of [Payout, Board, Standings]) assert.throws(() => new Class(), { name: 'TypeError', code: 'invalid_argument' })
  })
})

test('with a time, rules may change what has not begun', () => {
  const seasons = (until) => Rules.fromJson(JSON.stringify({
    ...DOCUMENT,
    calendar: { seasons: { table: [{ label: 's1', from: '2026-09-01T00:00:00Z', until }] } },
    boards: { xp: { value: 'grantedXp', keepPeriods: { seasonal: 4 } } }
  }))
  const engine = new Engine(seasons('2026-12-01T00:00:00Z'))
  const longer = seasons('2026-12-24T00:00:00Z')
  assert.throws(() => engine.replaceRules(longer), { code: 'board_incompatible' })
  assert.throws(() => engine.replaceRules(longer, { now: new Date('2026-10-01T00:00:00Z') }), { code: 'board_incompatible' })
  const diff = engine.replaceRules(longer, { now: new Date('2026-08-01T00:00:00Z') })
  assert.deepEqual(diff.changed, ['/calendar/seasons/table/0/until'])
  for (const bad of [{ nowMs: NaN }, { now: 7 }, { nowMs: undefined }, { at: 1 }, 7]) {
    assert.throws(() => engine.replaceRules(longer, bad), { name: 'TypeError', code: 'invalid_argument' })
  }
})

// Boards by calendar, archives, and who gets what.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Archive, ArchiveView, Calendar, Leaderboard, Names, WindowedLeaderboard, awards } from '../index.mjs'
import { NOW_MS } from './game.mjs'

const DAY_MS = 86_400_000
const MAX = Number.MAX_SAFE_INTEGER
const day = (n) => ({ nowMs: NOW_MS + n * DAY_MS })
const ids = (rows) => Array.from(rows, (row) => row.playerId)
const SETTINGS = { name: 'xp', windows: { daily: 2, weekly: 4, allTime: 0 } }
const TIERS = [{ tier: 'gold', ranks: [1, 1] }, { tier: 'top-half', percent: '50' }]
const won = (awards) => awards.map(({ rank, playerId, tier }) => `${rank} ${playerId} ${tier}`)

/** Four owners today: 40, 30, 20, 10. */
function played (settings = SETTINGS) {
  const board = new WindowedLeaderboard(settings)
  board.submitBatch(['ana', 'bo', 'cy', 'dee'], [40, 30, 20, 10], day(0))
  return board
}

describe('reading', () => {
  test('the current period, one earlier, and one by its index', () => {
    const board = played()
    const today = board.current('daily', day(0))
    board.submit('eli', 5, day(1))
    for (const [window, at] of [['daily', day(0)], ['daily', { ...day(1), earlier: 1 }], [today, day(1)], [today, {}]].slice(0, 3)) {
      assert.deepEqual(board.period(window, at), today)
      assert.deepEqual(ids(board.top(window, 2, at)), ['ana', 'bo'])
      assert.deepEqual(ids(board.page(window, 2, 9, at)), ['cy', 'dee'])
      assert.deepEqual(ids(board.around(window, 'bo', 1, at)), ['ana', 'bo', 'cy'])
      assert.deepEqual(ids(board.byOwners(window, ['dee', 'ana', 'eli'], at)), ['ana', 'dee'])
      assert.deepEqual(ids(board.byScoreRange(window, 15, 35, at)), ['bo', 'cy'])
      assert.deepEqual(ids(board.byScoreRange(window, 0, 99, { ...at, offset: 1, limit: 1 })), ['bo'])
      assert.deepEqual([board.rank(window, 'cy', at), board.rank(window, 'eli', at)], [3, null])
      assert.deepEqual([board.score(window, 'cy', at), board.score(window, 'eli', at)], [{ score: 20, subscore: 0 }, null])
      assert.deepEqual([board.countAbove(window, 20, at), board.percentile(window, 'bo', at), board.length(window, at)], [2, 6666, 4])
      assert.deepEqual(ids(board.rows(window, at)), ['ana', 'bo', 'cy', 'dee'])
      const { rows, next } = board.pageAfter(window, null, 3, at)
      assert.deepEqual([ids(rows), ids(board.pageAfter(window, next, 3, at).rows)], [['ana', 'bo', 'cy'], ['dee']])
    }
    assert.deepEqual([board.name, board.owners, new WindowedLeaderboard({ windows: {} }).name], ['xp', 5, null])
  })

  test('a cursor is of one period', () => {
    const board = played()
    const { next } = board.pageAfter('daily', null, 1, day(0))
    for (const window of ['weekly', 'allTime']) assert.throws(() => board.pageAfter(window, next, 1, day(0)), { code: 'cursor_invalid' })
    assert.throws(() => board.pageAfter('daily', next, 1, day(1)), { code: 'cursor_invalid' })
  })

  test('an iteration stays in its period', () => {
    const board = new WindowedLeaderboard(SETTINGS)
    const owners = Array.from({ length: 600 }, (_, n) => `p${n}`)
    board.submitBatch(owners, owners.map((_, n) => -n), day(0))
    const rows = board.rows('daily', day(0))
    assert.equal(rows.next().value.playerId, 'p0')
    board.submitBatch(owners, owners.map((_, n) => n), day(1))
    assert.deepEqual(ids(rows), owners.slice(1))
  })

  test('what is not there: never was, is not archived, or was dropped', () => {
    const board = played()
    for (const [work, code, httpStatus] of [
      [() => board.top('monthly', 1, day(0)), 'unknown_window', 400], [() => board.state('monthly', day(0)), 'unknown_window', 400],
      [() => board.archived('daily', { ...day(1), earlier: 1 }), 'unknown_period', 404],
      [() => board.top('daily', 1, { ...day(0), earlier: 3 }), 'period_dropped', 410], [() => board.rows('daily', { ...day(0), earlier: 3 }), 'period_dropped', 410],
      [() => board.top(board.current('daily', day(0)), 1, day(9)), 'period_dropped', 410]
    ]) assert.throws(work, { name: 'LiveopsError', code, httpStatus })
    for (const work of [
      () => board.top('daily', 1, { earlier: -1 }), () => board.top('daily', 1, { earlier: 2 ** 32 }), () => board.top('daily', 1, { earlier: 0.5 }),
      () => board.top(board.current('daily', day(0)), 1, { earlier: 1 }), () => board.top(null, 1), () => board.top(7, 1), () => board.top('hourly', 1),
      () => board.top({ window: 'daily' }, 1), () => board.top('daily', NaN), () => board.rank('daily', 7), () => board.top('daily', 1, { ts: 1 }),
      () => board.percentile('daily', '\ud800'), () => board.byScoreRange('daily', 1, Infinity), () => board.pageAfter('daily', 7, 1)
    ]) assert.throws(work, { code: /^(invalid_argument|out_of_range|unknown_window)$/ })
  })
})

describe('writing', () => {
  test('a batch is of one time', () => {
    const board = played()
    assert.deepEqual(board.submitBatch([], [], day(0)), [])
    const late = board.submitBatch(['ana', 'bo'], new Int32Array([1, 1]), { ts: NOW_MS, ...day(1), subscores: [0, 9] })
    assert.deepEqual(late, [board.current('daily', day(0))])
    assert.deepEqual([board.score('daily', 'bo', day(0)), board.score('allTime', 'bo', day(1))], [{ score: 30, subscore: 0 }, { score: 31, subscore: 9 }])
  })

  test('into every window or into none, all of them or none', () => {
    const board = played()
    board.submit('ana', MAX - 40, day(0))
    const before = board.snapshot()
    for (const [owners, scores, index, code] of [
      [['bo', 'ana'], [1, 1], 1, 'score_overflow'], [['bo', 'cy', 'cy'], [1, MAX - 20, 1], 2, 'score_overflow'],
      [['bo', 'c y'], [1, 1], 1, 'id_invalid'], [['bo', 'cy'], [1, 0.5], 1, 'invalid_argument']
    ]) {
      // Tomorrow the day begins anew, but of all time it is too much.
      for (const at of [day(0), day(1)]) {
        assert.throws(() => board.submitBatch(owners, scores, at), { code, index })
        assert.deepEqual(board.snapshot(), before)
      }
    }
    assert.throws(() => board.submitBatch(['bo'], [1], [1]), { code: 'invalid_argument' })
    // A period that takes no more does not stand in the way of the others.
    const days = new WindowedLeaderboard({ windows: { daily: 2 } })
    days.submit('ana', MAX, day(0))
    assert.equal(days.submit('ana', 1, { ts: NOW_MS, ...day(1) }).length, 1)
  })

  test('hidden everywhere, and in what is to come', () => {
    const board = played()
    assert.deepEqual([board.hide('ana'), board.hide('ana')], [true, false])
    board.submit('ana', 100, day(1))
    assert.deepEqual(['daily', 'weekly', 'allTime'].map((window) => board.rank(window, 'ana', day(1))), [null, null, null])
    assert.deepEqual([board.unhide('ana'), board.rank('allTime', 'ana', day(1)), board.rank('daily', 'ana', day(1))], [true, 1, 1])
    assert.deepEqual([board.remove('ana'), board.remove('ana'), board.rank('allTime', 'ana', day(1))], [true, false, null])
  })

  test('capacity and bad options', () => {
    assert.equal(played({ ...SETTINGS, capacity: 1000 }).length('daily', day(0)), 4)
    for (const options of [undefined, {}, { windows: { daily: -1 } }, { windows: { daily: 1.5 } }, { windows: {}, capacity: 2 ** 31 }, { windows: {}, calendar: {} }]) {
      assert.throws(() => new WindowedLeaderboard(options), { code: /^(invalid_argument|out_of_range)$/ })
    }
  })
})

describe('lives', () => {
  test('states and closings', () => {
    const board = played()
    const today = board.current('daily', day(0))
    assert.deepEqual([0, 1].map((n) => board.state(today, day(n))), ['open', 'sealed'])
    board.archive(today, day(1))
    assert.deepEqual([1, 9].map((n) => board.state(today, day(n))), ['archived', 'dropped'])
    const closed = board.closedBetween(NOW_MS, new Date(NOW_MS + 2 * DAY_MS))
    assert.equal(closed[Symbol.iterator](), closed)
    assert.deepEqual(Array.from(closed, ({ window, label }) => `${window} ${label}`), ['daily 2026-11-07', 'daily 2026-11-08', 'weekly 2026-W45'])
    const endless = board.closedBetween(0, MAX)
    assert.equal(endless.next().value.index, 0)
    assert.throws(() => board.closedBetween('0', 1), { code: 'invalid_argument' })
  })

  test('a snapshot goes on alike, archives included', () => {
    const board = played()
    board.archive('daily', { ...day(1), earlier: 1 })
    board.hide('bo')
    const copy = WindowedLeaderboard.restore(SETTINGS, board.snapshot())
    for (const one of [board, copy]) {
      one.unhide('bo')
      one.submit('bo', 500, day(1))
    }
    assert.deepEqual(copy.snapshot(), board.snapshot())
    assert.deepEqual([...copy.rows('allTime', day(1))], [...board.rows('allTime', day(1))])
    assert.deepEqual(ids(copy.archived('daily', { ...day(1), earlier: 1 })), ['ana', 'bo', 'cy', 'dee'])
    const bytes = board.snapshot()
    for (const settings of [{ ...SETTINGS, name: 'laps' }, { ...SETTINGS, operator: 'best' }, { ...SETTINGS, windows: { daily: 2 } }]) {
      assert.throws(() => WindowedLeaderboard.restore(settings, bytes), { code: 'board_incompatible' })
    }
    for (let at = 0; at < bytes.length; at += 7) {
      const flipped = Uint8Array.from(bytes)
      flipped[at] ^= 4
      assert.throws(() => WindowedLeaderboard.restore(SETTINGS, flipped), { code: /^(snapshot_corrupt|record_too_new)$/ })
    }
    assert.throws(() => WindowedLeaderboard.restore(SETTINGS, new Leaderboard().snapshot()), { code: 'snapshot_corrupt' })
    assert.throws(() => WindowedLeaderboard.restore(SETTINGS), TypeError)
  })
})

describe('archives', () => {
  test('keep who came where, and names apart', () => {
    const board = played()
    const yesterday = { ...day(1), earlier: 1 }
    const rows = board.top('daily', 9, yesterday)
    const { archive, names } = board.archive('daily', yesterday)
    assert.throws(() => board.top('daily', 9, yesterday), { code: 'unknown_period' })
    assert.deepEqual(archive.heading, {
      board: 'xp', window: 'daily', index: 20764, label: '2026-11-07', start: NOW_MS - DAY_MS / 2, end: NOW_MS + DAY_MS / 2,
      closedAt: NOW_MS + DAY_MS / 2, order: 'desc', ties: 'firstToReach', ranking: 'ordinal'
    })
    assert.match(archive.checksum, /^[0-9a-f]{64}$/)
    assert.deepEqual([archive.length, names.length, names.archive], [4, 4, archive.checksum])
    assert.deepEqual(archive.rows(3, 9), [{ rank: 4, score: 10, subscore: 0, reachedAt: NOW_MS }])
    const view = archive.read(names)
    assert.ok(view instanceof ArchiveView)
    assert.deepEqual([view.page(0, 9), [...view], view.top(1), view.length], [rows, rows, rows.slice(0, 1), 4])
    assert.deepEqual([view.rank('cy'), view.rank('nobody'), ids(view.around('cy', 1)), view.around('nobody', 1)], [3, null, ['bo', 'cy', 'dee'], []])
    assert.deepEqual([names.placeOf('cy'), names.forget('cy'), names.forget('cy'), names.placeOf('cy'), names.forget('')], [2, true, false, null, false])
    const fewer = archive.read(names, { hiding: ['ana'] })
    assert.deepEqual([...fewer].map(({ rank, playerId }) => [rank, playerId]), [[2, 'bo'], [4, 'dee']])
    assert.deepEqual([view.length, fewer.rank('ana')], [4, null], 'a view is as it was when it was read')
    assert.deepEqual(board.archive('daily', yesterday).archive.toBytes(), archive.toBytes(), 'again the same')
  })

  test('leave out who is hidden or removed since', () => {
    const board = played()
    const yesterday = { ...day(1), earlier: 1 }
    board.archive('daily', yesterday)
    board.hide('ana')
    assert.equal(board.remove('bo'), true)
    const view = board.archived('daily', yesterday)
    assert.deepEqual([...view].map(({ rank, playerId }) => [rank, playerId]), [[3, 'cy'], [4, 'dee']])
    assert.equal(board.archive('daily', yesterday).names.length, 3, 'the hidden one is still known')
  })

  test('are bytes', () => {
    const { archive, names } = played().archive('daily', { ...day(1), earlier: 1 })
    const copies = [Archive.fromBytes(archive.toBytes()), Names.fromBytes(names.toBytes())]
    assert.deepEqual([copies[0].heading, copies[0].checksum, copies[0].read(copies[1]).rank('dee')], [archive.heading, archive.checksum, 4])
    assert.ok(!Buffer.from(archive.toBytes()).includes('dee') && Buffer.from(names.toBytes()).includes('dee'))
    for (const [Class, bytes] of [[Archive, archive.toBytes()], [Names, names.toBytes()]]) {
      for (let at = 0; at < bytes.length; at++) {
        const flipped = Uint8Array.from(bytes)
        flipped[at] ^= 1
        assert.throws(() => Class.fromBytes(flipped), { code: /^(store_corrupt|record_too_new)$/ })
        assert.throws(() => Class.fromBytes(bytes.subarray(0, at)), { code: 'store_corrupt' })
      }
      for (const bad of [undefined, null, {}, 7]) assert.throws(() => Class.fromBytes(bad), { name: 'TypeError', code: 'invalid_argument' })
    }
  })

  test('what cannot be archived or read', () => {
    const { names } = played().archive('daily', { ...day(1), earlier: 1 })
    const { archive } = played().archive('weekly', { ...day(7), earlier: 1 })
    assert.throws(() => archive.read(names), { name: 'RangeError', code: 'invalid_argument' })
    assert.throws(() => archive.read({}), { name: 'TypeError', code: 'invalid_argument' })
    assert.throws(() => archive.read(names, { hiding: 'ana' }), { name: 'TypeError', code: 'invalid_argument' })
    assert.throws(() => played().archive('daily', day(0)), { code: 'period_open' })
    assert.throws(() => played().archive('allTime', day(0)), { code: 'period_open' })
    assert.throws(() => played().archive('daily', { ...day(9), earlier: 9 }), { code: 'period_dropped' })
    assert.throws(() => played({ windows: SETTINGS.windows }).archive('daily', { ...day(1), earlier: 1 }), { code: 'invalid_argument' })
    for (const Class of [Archive, Names, ArchiveView]) assert.throws(() => new Class(), { name: 'TypeError', code: 'invalid_argument' })
  })

  test('of a board used alone', () => {
    const board = new Leaderboard({ name: 'laps', order: 'asc', ranking: 'competition' })
    board.submitBatch(['ana', 'bo', 'cy'], [60, 60, 70])
    const calendar = new Calendar({ graceSeconds: 60 })
    const period = calendar.period('weekly', NOW_MS)
    const { archive, names } = Archive.of(board, { period, calendar, nowMs: period.closesAt })
    assert.deepEqual([archive.heading.board, archive.heading.closedAt, archive.heading.order], ['laps', period.closesAt, 'asc'])
    assert.deepEqual(Array.from(archive.read(names), ({ rank }) => rank), [1, 1, 3])
    assert.equal(Archive.of(board, { board: 'xp', period, nowMs: period.closesAt }).archive.heading.board, 'xp')
    assert.throws(() => Archive.of(board, { period, calendar, nowMs: period.closesAt - 1 }), { code: 'period_open' })
    assert.throws(() => Archive.of(new Leaderboard(), { period, nowMs: period.closesAt }), { code: 'invalid_argument' })
    assert.throws(() => Archive.of({}, { period }), TypeError)
    assert.throws(() => Archive.of(board), TypeError)
  })
})

describe('who gets what', () => {
  const yesterday = { ...day(1), earlier: 1 }

  test('of a sealed period and of its archive alike', () => {
    const board = played()
    assert.throws(() => board.payout('daily', TIERS, day(0)), { code: 'period_open' })
    const paid = board.payout('daily', TIERS, yesterday)
    assert.deepEqual(paid, [{ playerId: 'ana', rank: 1, tier: 'gold', score: 40, subscore: 0 }, { playerId: 'bo', rank: 2, tier: 'top-half', score: 30, subscore: 0 }])
    assert.deepEqual(awards(board.top('daily', 9, yesterday), TIERS), paid)
    assert.deepEqual(awards([], TIERS), [])
    const { archive, names } = board.archive('daily', yesterday)
    assert.deepEqual([board.payout('daily', TIERS, yesterday), archive.read(names).awards(TIERS)], [paid, paid])
    board.hide('ana')
    assert.deepEqual(won(board.payout('daily', TIERS, yesterday)), ['2 bo top-half'], 'nobody moves up in an archive')
  })

  test('a tie across a cut is paid the better tier', () => {
    const board = new Leaderboard({ ranking: 'competition' })
    board.submitBatch(['ana', 'bo', 'cy', 'dee'], [9, 5, 5, 1])
    assert.deepEqual(won(board.awards([{ tier: 'podium', ranks: [1n, 2] }, { tier: 'rest', percent: '100' }])), ['1 ana podium', '2 bo podium', '2 cy podium', '4 dee rest'])
  })

  test('what are no tiers', () => {
    const board = played()
    for (const [tiers, code, name] of [
      [undefined, 'invalid_argument', 'TypeError'], [{}, 'invalid_argument', 'TypeError'], [[null], 'invalid_argument', 'TypeError'],
      [[{ tier: 'a' }], 'invalid_argument', 'TypeError'], [[{ tier: 'a', ranks: [1, 2], percent: '1' }], 'invalid_argument', 'TypeError'],
      [[{ tier: 'a', percent: 10 }], 'invalid_argument', 'TypeError'], [[{ tier: 'a', ranks: [1] }], 'invalid_argument', 'TypeError'],
      [[{ tier: 'a', ranks: [1, 1.5] }], 'invalid_argument', 'TypeError'], [[{ tier: 'a', ranks: [1, NaN] }], 'invalid_argument', 'TypeError'],
      [[{ tier: 'a', ranks: ['1', 2] }], 'invalid_argument', 'TypeError'], [[{ tier: 'a', ranks: [1, 2 ** 53] }], 'out_of_range', 'RangeError'],
      [[{ tier: 'a', ranks: [-1, 2] }], 'out_of_range', 'RangeError'], [[{ tier: 'a', ranks: [0, 2] }], 'invalid_argument', 'RangeError'],
      [[{ tier: 'a', ranks: [3, 2] }], 'invalid_argument', 'RangeError'], [[], 'invalid_argument', 'RangeError'],
      [[{ tier: 'a', rank: [1, 2] }], 'invalid_argument', 'TypeError'], [[{ tier: 7, ranks: [1, 2] }], 'invalid_argument', 'TypeError'],
      [[{ tier: 'a b', ranks: [1, 2] }], 'id_invalid', 'LiveopsError'], [[{ tier: 'a', percent: '0' }], 'out_of_range', 'RangeError'],
      [[{ tier: 'a', percent: '1.005' }], 'invalid_format', 'LiveopsError'], [[...TIERS, TIERS[0]], 'invalid_argument', 'RangeError']
    ]) {
      for (const work of [() => board.payout('daily', tiers, yesterday), () => awards([], tiers), () => new Leaderboard().awards(tiers)]) {
        assert.throws(work, { code, name }, JSON.stringify(tiers))
      }
    }
    assert.throws(() => awards([], [...TIERS, TIERS[0]]), { message: /tier 2: tiers have different names/ })
    assert.throws(() => awards([], [{ tier: 'a', percent: 2.5 }]), { message: /write '2\.5'/ })
    for (const row of [null, 7, {}, { rank: 0, playerId: 'a', score: 1, subscore: 0 }, { rank: 1, playerId: 'a', score: 1.5, subscore: 0 }]) {
      assert.throws(() => awards([row], TIERS), { code: /^(invalid_argument|out_of_range)$/ })
    }
    assert.throws(() => awards([{ rank: 1, playerId: 'a\nb', score: 1, subscore: 0 }], TIERS), { code: 'id_invalid' })
  })
})

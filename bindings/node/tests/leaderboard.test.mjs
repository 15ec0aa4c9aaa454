// One ranked set: batches, cursors, iteration, snapshots.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Leaderboard } from '../index.mjs'

const MAX = Number.MAX_SAFE_INTEGER
const ids = (rows) => Array.from(rows, (row) => row.playerId)

/** So many owners, of whom p0 is best. */
function filled (owners, options) {
  const board = new Leaderboard({ operator: 'set', ...options })
  board.submitBatch(Array.from({ length: owners }, (_, n) => `p${n}`), Array.from({ length: owners }, (_, n) => owners - n))
  return board
}

describe('batches', () => {
  test('count like submits one by one', () => {
    for (const operator of ['incr', 'decr', 'best', 'set']) {
      const [one, many] = [new Leaderboard({ operator }), new Leaderboard({ operator })]
      const [owners, scores, subscores] = [['ana', 'bo', 'ana', 'cy'], [5, -3, 7, 0], [1, 2, 0, 4]]
      owners.forEach((owner, at) => one.submit(owner, scores[at], { subscore: subscores[at] }))
      assert.equal(many.submitBatch(owners, scores, subscores), undefined)
      assert.deepEqual(many.top(9), one.top(9), operator)
    }
    const board = new Leaderboard()
    board.submitBatch([], [])
    assert.deepEqual([board.length, board.top(9)], [0, []])
  })

  test('scores come in any array of whole numbers', () => {
    for (const scores of [[3, 2n], new BigInt64Array([3n, 2n]), new Float64Array([3, 2]), new Int32Array([3, 2]), new Uint8Array([3, 2])]) {
      const board = new Leaderboard()
      board.submitBatch(['ana', 'bo'], scores, scores)
      assert.deepEqual([board.score('ana'), board.score('bo')], [{ score: 3, subscore: 3 }, { score: 2, subscore: 2 }])
    }
  })

  test('all of them or none, and the error says which', () => {
    const board = new Leaderboard({ capacity: 10 })
    board.submit('ana', MAX)
    const before = board.snapshot()
    for (const [owners, scores, index, code] of [
      [['bo', 'ana', 'cy'], [1, 1, 1], 1, 'score_overflow'],
      [['bo', 'cy', 'bo'], [MAX, 1, 1], 2, 'score_overflow'],
      [['bo', 'c y'], [1, 1], 1, 'id_invalid'],
      [['', 'bo'], [1, 1], 0, 'id_invalid'],
      [['bo', 'c\ny', 'ana'], [1, 1, 1], 1, 'id_invalid'],
      [['bo', 'ana', ''], [1, 1, 1], 1, 'score_overflow'],
      [['bo', 7], [1, 1], 1, 'invalid_argument'],
      [['bo', '\ud800'], [1, 1], 1, 'invalid_argument'],
      [['bo', 'cy'], [1, 1.5], 1, 'invalid_argument'],
      [['bo', 'cy'], [NaN, 1], 0, 'invalid_argument'],
      [['bo', 'cy'], [1, '1'], 1, 'invalid_argument'],
      [['bo', 'cy'], [1, 2 ** 53], 1, 'score_overflow'],
      [['bo', 'cy'], new Float64Array([1, 0.5]), 1, 'invalid_argument'],
      [['bo', 'cy'], new BigInt64Array([1n, -(2n ** 53n)]), 1, 'score_overflow']
    ]) {
      assert.throws(() => board.submitBatch(owners, scores), { code, index }, JSON.stringify(owners))
      assert.deepEqual(board.snapshot(), before)
    }
    assert.throws(() => board.submitBatch(['bo'], [1], [1.5]), { code: 'invalid_argument', index: 0 })
  })

  test('what is no batch', () => {
    const board = new Leaderboard()
    for (const args of [[], [['ana']], [['ana'], [1, 2]], [['ana'], 1], ['ana', [1]], [['ana'], [1], [1, 2]], [['ana'], [1], [1], 0],
      [['ana'], new DataView(new ArrayBuffer(8))], [['ana'], { 0: 1, length: 1 }], [['ana'], [1], null], [new Set(['ana']), [1]]]) {
      assert.throws(() => board.submitBatch(...args), { code: 'invalid_argument' })
    }
    assert.equal(board.length, 0)
  })
})

describe('cursors', () => {
  test('a page begins behind the one before, whatever moved', () => {
    const board = filled(5)
    const first = board.pageAfter(null, 2)
    assert.deepEqual([ids(first.rows), typeof first.next], [['p0', 'p1'], 'string'])
    board.submit('p4', 99) // above the cursor
    board.remove('p1') // at the cursor
    const second = board.pageAfter(first.next, 2)
    assert.deepEqual([ids(second.rows), second.rows[0].rank, second.next], [['p2', 'p3'], 3, null])
    assert.deepEqual(new Leaderboard().pageAfter(null, 9), { rows: [], next: null })
    assert.throws(() => { second.next = 'x' }, TypeError)
  })

  test('belong to one board', () => {
    const { next } = filled(3, { name: 'xp' }).pageAfter(null, 1)
    assert.deepEqual(ids(filled(3, { name: 'xp' }).pageAfter(next, 9).rows), ['p1', 'p2'])
    for (const other of [{ name: 'laps' }, {}, { name: 'xp', order: 'asc' }, { name: 'xp', ties: 'ownerId' }]) {
      assert.throws(() => filled(3, other).pageAfter(next, 1), { name: 'LiveopsError', code: 'cursor_invalid' })
    }
    for (const bad of ['', 'zz', next.slice(2), next + '00', 'ü', '\0']) {
      assert.throws(() => filled(3, { name: 'xp' }).pageAfter(bad, 1), { code: 'cursor_invalid' })
    }
    for (const bad of [7, {}, Buffer.from(next)]) {
      assert.throws(() => filled(3).pageAfter(bad, 1), { name: 'TypeError', code: 'invalid_argument' })
    }
  })
})

describe('iteration', () => {
  test('is everybody, best first, however many', () => {
    for (const owners of [0, 1, 255, 256, 257, 512, 1000]) {
      const board = filled(owners)
      assert.deepEqual([...board], board.top(owners))
      assert.equal([...board].length, owners)
    }
  })

  test('is lazy and can be left', () => {
    const board = filled(1000)
    const rows = board[Symbol.iterator]()
    assert.equal(rows[Symbol.iterator](), rows)
    assert.equal(rows.next().value.playerId, 'p0')
    board.hide('p999')
    assert.deepEqual([ids(rows).length, rows.next().done], [998, true])
    for (const { playerId } of board) if (playerId === 'p3') break
  })

  test('neither repeats nor skips who stays put while others move', () => {
    const board = filled(2000)
    // Every third moves, from one end to the other and back.
    const moves = (n) => n % 3 === 0
    const seen = []
    let turn = 0
    for (const { playerId } of board) {
      seen.push(playerId)
      const n = 3 * (turn * 7919 % 667)
      board.submit(`p${n}`, turn++ % 2 === 0 ? 5000 : -5000)
      if (turn > 20_000) assert.fail('has no end')
    }
    const stayed = seen.filter((playerId) => !moves(Number(playerId.slice(1))))
    assert.deepEqual(stayed, Array.from({ length: 2000 }, (_, n) => n).filter((n) => !moves(n)).map((n) => `p${n}`))
  })
})

test('a range of scores is not cut short', () => {
  const board = filled(2500)
  assert.equal(board.byScoreRange(-MAX, MAX).length, 2500)
  assert.equal(board.byScoreRange(-MAX, MAX, { limit: 100 }).length, 100)
})

test('score ranges', () => {
  const board = filled(5) // 5, 4, 3, 2, 1
  assert.deepEqual(ids(board.byScoreRange(2, 4)), ['p1', 'p2', 'p3'])
  assert.deepEqual(ids(board.byScoreRange(-MAX, MAX, { offset: 1, limit: 2 })), ['p1', 'p2'])
  assert.deepEqual([board.byScoreRange(4, 2), board.byScoreRange(6, 9), board.byScoreRange(1, 5, { limit: 0 })], [[], [], []])
  assert.deepEqual(board.byScoreRange(3n, 3n)[0], board.page(2, 1)[0])
  for (const args of [[1], [1.5, 2], [1, '2'], [1, 2 ** 53], [1, 2, { ofset: 1 }], [1, 2, { limit: -1 }], [1, 2, 3]]) {
    assert.throws(() => board.byScoreRange(...args), { code: /^(invalid_argument|out_of_range)$/ })
  }
})

test('percentiles', () => {
  const board = filled(4)
  board.submit('tie', 1)
  const shares = ['p0', 'p1', 'p2', 'p3', 'tie', 'nobody'].map((owner) => board.percentile(owner))
  assert.deepEqual(shares, [10_000, 7500, 5000, 0, 0, null])
  board.hide('p0')
  assert.deepEqual([board.percentile('p0'), filled(1).percentile('p0')], [null, 10_000])
})

describe('snapshots', () => {
  test('hold everything, hidden ones and the order of ties too', () => {
    const board = filled(500, { name: 'xp', operator: 'incr', ranking: 'dense', ties: 'lastToReach', order: 'asc' })
    board.submitBatch(['ana', 'bo', 'cy'], [7, 7, 7], [1, 1, 2])
    board.hide('bo')
    const copy = Leaderboard.restore(board.snapshot())
    assert.ok(board.snapshot() instanceof Uint8Array)
    assert.deepEqual([copy.snapshot(), copy.name, copy.length], [board.snapshot(), 'xp', 502])
    for (const one of [board, copy]) {
      one.unhide('bo')
      one.submit('dee', 7, { subscore: 1 })
    }
    assert.deepEqual(copy.top(1000), board.top(1000))
    assert.deepEqual(Leaderboard.restore(new Leaderboard().snapshot()).top(1), [])
    assert.equal(Leaderboard.restore(new Leaderboard().snapshot()).name, null)
  })

  test('that were touched are refused', () => {
    const bytes = filled(3, { name: 'xp' }).snapshot()
    const corrupt = { code: /^(snapshot_corrupt|record_too_new)$/ }
    for (let at = 0; at < bytes.length; at++) {
      const flipped = Uint8Array.from(bytes)
      flipped[at] ^= 1
      assert.throws(() => Leaderboard.restore(flipped), corrupt, `byte ${at}`)
      assert.throws(() => Leaderboard.restore(bytes.subarray(0, at)), corrupt, `${at} bytes`)
    }
    for (const bad of [undefined, null, {}, [1], new ArrayBuffer(8), 7]) {
      assert.throws(() => Leaderboard.restore(bad), { name: 'TypeError', code: 'invalid_argument' })
    }
  })
})

test('options', () => {
  assert.equal(new Leaderboard({ name: 'xp' }).name, 'xp')
  assert.equal(new Leaderboard({ capacity: 100_000 }).length, 0)
  for (const name of ['', 'a b', 'x'.repeat(65)]) assert.throws(() => new Leaderboard({ name }), { code: 'id_invalid' })
  for (const options of [{ name: 7 }, { name: null }, { capacity: 1.5 }, { capacity: NaN }, { capacity: '9' }, { size: 1 }]) {
    assert.throws(() => new Leaderboard(options), { code: 'invalid_argument' }, JSON.stringify(options))
  }
  for (const capacity of [-1, 2 ** 40, 10_000_001]) assert.throws(() => new Leaderboard({ capacity }), { name: 'RangeError', code: 'out_of_range' })
})

test('rows are frozen plain objects', () => {
  const [row] = filled(1).top(1)
  assert.deepEqual(row, { rank: 1, playerId: 'p0', score: 1, subscore: 0, reachedAt: 1 })
  assert.deepEqual([Object.getPrototypeOf(row), Object.isFrozen(row), Object.isFrozen(filled(1).top(1))], [Object.prototype, true, true])
  const far = new Leaderboard()
  far.submit('ana', -MAX, { subscore: MAX, at: -MAX })
  assert.deepEqual(far.top(1)[0], { rank: 1, playerId: 'ana', score: -MAX, subscore: MAX, reachedAt: -MAX })
})

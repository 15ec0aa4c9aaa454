'use strict'
// From the addon's rows to frozen plain objects. Two values cross for a page: parsing JSON took several times as long.

const { call } = require('./errors.js')
const { own } = require('./json.js')

/** Rows that an iteration fetches at once. */
const STRETCH = 256
/** Rows unless it is said how many: of the best, of a page, and above and below somebody. */
const TOP_LEN = 10
const PAGE_LEN = 100
const EACH_SIDE = 5

function shaped ({ owners, numbers }) {
  if (numbers.length === 0) return Object.freeze([])
  const shape = (playerId, place) => {
    const at = 4 * place
    return Object.freeze({ rank: numbers[at], playerId, score: numbers[at + 1], subscore: numbers[at + 2], reachedAt: numbers[at + 3] })
  }
  return Object.freeze(owners.split('\n').map(shape))
}

/** The rows that a call answers with. */
const rowsOf = (work) => shaped(call(work))

/** Rows, and the cursor behind the last of them. */
function pageOf (work) {
  const told = call(work)
  return Object.freeze({ rows: shaped(told), next: own(told).next ?? null })
}

/** All rows, in stretches that follow one another by cursor. `pageAfter(cursor, limit)` gives one of them. */
function * walk (pageAfter) {
  let cursor = null
  do {
    const { rows, next } = pageAfter(cursor, STRETCH)
    yield * rows
    cursor = next
  } while (cursor !== null)
}

/** Score and subscore; null for none. */
const scoreOf = (pair) => pair === null || pair === undefined ? null : Object.freeze({ score: pair[0], subscore: pair[1] })

module.exports = { rowsOf, pageOf, walk, scoreOf, EACH_SIDE, PAGE_LEN, STRETCH, TOP_LEN }

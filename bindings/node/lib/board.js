'use strict'
// A leaderboard used alone. Scores lie within ±(2^53 - 1); beyond is `score_overflow`, from the core.

const { bytes, count, instant, integer, list, options, text, word, INTEGER_MAX } = require('./arguments.js')
const { batchOf } = require('./batch.js')
const { call } = require('./errors.js')
const { read } = require('./json.js')
const { close, dispose, handleOf, hold, native } = require('./native.js')
const { tiersOf } = require('./payout.js')
const { pageOf, rowsOf, scoreOf, walk, EACH_SIDE, PAGE_LEN, TOP_LEN } = require('./rows.js')

const WAYS = {
  order: ['desc', 'asc'],
  operator: ['incr', 'best', 'set', 'decr'],
  ties: ['firstToReach', 'lastToReach', 'ownerId'],
  ranking: ['ordinal', 'competition', 'dense']
}

/** Most owners that memory is taken for before they come. `BOARD_CAPACITY_MAX` of the core. */
const CAPACITY_MAX = 10_000_000
/** Rows of a range of scores unless it is said how many. `PAGE_LEN_MAX` of the core. */
const RANGE_LEN = 100_000

const BOARD = [...Object.keys(WAYS), 'name', 'capacity']

/** How a board sorts and counts: the first of each list unless said otherwise. */
function boardOf (given) {
  const way = ([name, words]) => [name, given[name] === undefined ? words[0] : word(given[name], name, words)]
  return {
    ...Object.fromEntries(Object.entries(WAYS).map(way)),
    name: given.name === undefined ? undefined : text(given.name, 'name'),
    capacity: given.capacity === undefined ? 0 : integer(given.capacity, 'capacity', 0, CAPACITY_MAX)
  }
}

const score = (value, name = 'score') => integer(value, name, -INTEGER_MAX, INTEGER_MAX)
/** A value to count: of 64 bits, so that the core says what it takes. */
const points = (value, name = 'score') => integer(value, name, -(2 ** 63), 2 ** 63)
const subscoreOf = ({ subscore }) => subscore === undefined ? 0 : points(subscore, 'subscore')
const ownersOf = (owners, name = 'owners') => list(owners, name).map((owner) => text(owner, `one of ${name}`))

/** A cursor as a page gave it; without one, the first page. */
const cursorOf = (cursor) => cursor === undefined || cursor === null ? undefined : text(cursor, 'cursor')

/** What to leave out, and how much to give. */
const stretchOf = ({ offset, limit }) => [
  offset === undefined ? 0 : count(offset, 'offset'),
  limit === undefined ? RANGE_LEN : count(limit, 'limit')
]

/** One ranked set of owners. */
class Leaderboard {
  constructor (opts) {
    const board = boardOf(options(opts, BOARD))
    hold(this, call(() => new native.Leaderboard(board)))
  }

  /** The board of a snapshot, with the settings and the name that it had. */
  static restore (snapshot) {
    const content = bytes(snapshot, 'snapshot')
    return hold(Object.create(Leaderboard.prototype), call(() => native.Leaderboard.restore(content)))
  }

  /** The whole board as bytes. */
  snapshot () {
    return handleOf(this, Leaderboard).snapshot()
  }

  /** By which cursors and snapshots know it; null if it has none. */
  get name () {
    return handleOf(this, Leaderboard).name ?? null
  }

  /** Takes one value: the owner's standing after it. `at` decides ties; submits without it are ordered by their number. */
  submit (owner, value, opts) {
    const given = options(opts, ['subscore', 'at'])
    const at = given.at === undefined ? undefined : instant(given.at, 'at')
    return read(call(() => handleOf(this, Leaderboard).submit(text(owner, 'owner'), points(value), subscoreOf(given), at)))
  }

  /** Takes many values, all of them or none; the error's `index` says which one is at fault. */
  submitBatch (owners, scores, ...subscores) {
    const batch = batchOf(owners, scores, subscores)
    call(() => handleOf(this, Leaderboard).submitBatch(...batch))
  }

  /** Whether there was an entry. */
  remove (owner) {
    return handleOf(this, Leaderboard).remove(text(owner, 'owner'))
  }

  /** Takes an owner off the board without forgetting the entry; whether anything changed. */
  hide (owner) {
    return handleOf(this, Leaderboard).hide(text(owner, 'owner'))
  }

  /** Shows an owner again, at the exact place of before; whether anything changed. */
  unhide (owner) {
    return handleOf(this, Leaderboard).unhide(text(owner, 'owner'))
  }

  /** `{ score, subscore }`, hidden or not; null for a stranger. */
  score (owner) {
    return scoreOf(call(() => handleOf(this, Leaderboard).score(text(owner, 'owner'))))
  }

  /** Rank from 1; null for one who is not shown. */
  rank (owner) {
    return handleOf(this, Leaderboard).rank(text(owner, 'owner')) ?? null
  }

  /** The best `limit`. */
  top (limit = TOP_LEN) {
    handleOf(this, Leaderboard)
    return this.page(0, limit)
  }

  /** `offset..offset + limit`, best first. */
  page (offset, limit) {
    const stretch = [count(offset, 'offset'), count(limit, 'limit')]
    return rowsOf(() => handleOf(this, Leaderboard).page(...stretch))
  }

  /** The first `limit` for null, or those behind a page's end: `{ rows, next }`. */
  pageAfter (cursor, limit = PAGE_LEN) {
    const [after, most] = [cursorOf(cursor), count(limit, 'limit')]
    return pageOf(() => handleOf(this, Leaderboard).pageAfter(after, most))
  }

  /** Everybody, best first, in stretches that follow one another by cursor. */
  [Symbol.iterator] () {
    handleOf(this, Leaderboard)
    return walk((cursor, limit) => this.pageAfter(cursor, limit))
  }

  /** An owner's row with up to `eachSide` rows above and below. */
  around (owner, eachSide = EACH_SIDE) {
    const [name, side] = [text(owner, 'owner'), count(eachSide, 'eachSide')]
    return rowsOf(() => handleOf(this, Leaderboard).around(name, side))
  }

  /** Rows of some owners, best first, with their ranks on the whole board. */
  byOwners (owners) {
    const names = ownersOf(owners)
    return rowsOf(() => handleOf(this, Leaderboard).byOwners(names))
  }

  /** Those with a score from `least` through `most`, best first. */
  byScoreRange (least, most, opts) {
    const range = [score(least, 'least'), score(most, 'most'), ...stretchOf(options(opts, ['offset', 'limit']))]
    return rowsOf(() => handleOf(this, Leaderboard).byScoreRange(...range))
  }

  /** How many are strictly better than a score. */
  countAbove (value) {
    return handleOf(this, Leaderboard).countAbove(score(value))
  }

  /** How many of the others an owner is ahead of, in hundredths of a percent; null for one who is not shown. */
  percentile (owner) {
    return handleOf(this, Leaderboard).percentile(text(owner, 'owner')) ?? null
  }

  /** Who gets what, best first. */
  awards (tiers) {
    const given = tiersOf(tiers)
    return read(call(() => handleOf(this, Leaderboard).awards(given)))
  }

  /** How many are shown. */
  get length () {
    return handleOf(this, Leaderboard).length
  }

  /** Lets go of the whole board now; whatever is called later throws `closed`. Once more is nothing. */
  close () {
    close(this, Leaderboard)
  }

  /** The same, for `using`. */
  [dispose] () {
    close(this, Leaderboard)
  }
}

module.exports = { Leaderboard, BOARD, boardOf, cursorOf, ownersOf, points, score, stretchOf, subscoreOf }

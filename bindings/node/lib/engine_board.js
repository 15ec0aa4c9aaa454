'use strict'
// A board of an engine, for reading and archiving. Reading asks memory alone, whatever the store.

const { count, integer, options, text } = require('./arguments.js')
const { archived } = require('./archive.js')
const { cursorOf, ownersOf, stretchOf } = require('./board.js')
const { argumentError, call } = require('./errors.js')
const { read } = require('./json.js')
const { handleOf, heldBy, hold, native } = require('./native.js')
const { pageOf, rowsOf, walk, EACH_SIDE, PAGE_LEN, TOP_LEN } = require('./rows.js')
const { periodOf } = require('./rules.js')
const { verbs } = require('./verbs.js')
const { readingOf } = require('./when.js')

/** How a board counts, and its periods: a window's current one, one so many `earlier`, or a period by its index. */
class Board {
  constructor (engine, name) {
    if (!(heldBy(engine) instanceof native.Engine)) throw argumentError(TypeError, 'a Board comes from Engine.board')
    const board = text(name, 'board')
    // Asked for anew by every call: the engine may have been closed.
    hold(this, { get engine () { return heldBy(engine) }, board })
    ruleOf(this)
  }

  get name () {
    return handleOf(this, Board).board
  }

  /** The windows in which it counts. */
  get windows () {
    return ruleOf(this).windows
  }

  get order () {
    return ruleOf(this).order
  }

  get operator () {
    return ruleOf(this).operator
  }

  get ties () {
    return ruleOf(this).ties
  }

  get ranking () {
    return ruleOf(this).ranking
  }

  /** The period that is current, or one so many `earlier`. */
  period (window, opts) {
    const { engine, board } = handleOf(this, Board)
    const when = readingOf(window, opts)
    return read(call(() => engine.boardPeriod(board, when)))
  }

  /** `future`, `open`, `grace`, `sealed` or `dropped`. */
  state (period, opts) {
    const { engine, board } = handleOf(this, Board)
    const when = readingOf(period, opts)
    return read(call(() => engine.boardState(board, when)))
  }

  /** The board in the period that is current, or one so many `earlier`. */
  at (window, opts) {
    return standingsOf(handleOf(this, Board), this.period(window, opts))
  }

  /** The board in a period. */
  of (period) {
    return standingsOf(handleOf(this, Board), periodOf(period))
  }

  /** The best `limit` of the period that is current. */
  top (window, limit = TOP_LEN, opts = undefined) {
    const { engine, board } = handleOf(this, Board)
    const args = [readingOf(window, opts), count(limit, 'limit')]
    return rowsOf(() => engine.top(board, ...args))
  }
}

// Archives a finished period that is still kept: `{ archive, names }`.
verbs(Board, (board) => handleOf(board, Board).engine, {
  archive: [function (period, opts) {
    return [handleOf(this, Board).board, readingOf(period, opts)]
  }, (both) => archived(() => both)]
})

/** How it counts by the rules in force, which may have been replaced. */
function ruleOf (self) {
  const { engine, board } = handleOf(self, Board)
  return read(call(() => engine.boardRule(board)))
}

/** A board in one period. */
class Standings {
  constructor () {
    throw argumentError(TypeError, 'Standings come from Board.at or Board.of')
  }

  /** The board's name. */
  get board () {
    return handleOf(this, Standings).place.board
  }

  get period () {
    const { window, index } = handleOf(this, Standings).place
    return Object.freeze({ window, index })
  }

  /** How many stand on the board. */
  get length () {
    return asked(this, (engine, place) => engine.length(place))
  }

  /** The best `limit`. */
  top (limit = TOP_LEN) {
    handleOf(this, Standings)
    return this.page(0, limit)
  }

  /** `offset..offset + limit`, best first. */
  page (offset, limit) {
    const { source, place } = handleOf(this, Standings)
    const stretch = [count(offset, 'offset'), count(limit, 'limit')]
    return rowsOf(() => source.engine.page(place, ...stretch))
  }

  /** The first `limit` for null, or those behind a page's end: `{ rows, next }`. */
  pageAfter (cursor, limit = PAGE_LEN) {
    const { source, place } = handleOf(this, Standings)
    const stretch = [cursorOf(cursor), count(limit, 'limit')]
    return pageOf(() => source.engine.pageAfter(place, ...stretch))
  }

  /** Everybody, best first, in stretches that follow one another by cursor. */
  [Symbol.iterator] () {
    handleOf(this, Standings)
    return walk((after, limit) => this.pageAfter(after, limit))
  }

  /** A player's rank from 1; null for one who is not on the board. */
  rank (player) {
    const named = text(player, 'player')
    return asked(this, (engine, place) => engine.rank(place, named)) ?? null
  }

  /** How many of the others a player is ahead of, in hundredths of a percent; null for one who is not on the board. */
  percentile (player) {
    const named = text(player, 'player')
    return asked(this, (engine, place) => engine.percentile(place, named)) ?? null
  }

  /** A player's row with up to `eachSide` rows above and below. */
  around (player, eachSide = EACH_SIDE) {
    const { source, place } = handleOf(this, Standings)
    const args = [text(player, 'player'), count(eachSide, 'eachSide')]
    return rowsOf(() => source.engine.around(place, ...args))
  }

  /** Rows of some players, best first, with their ranks on the whole board. */
  byOwners (players) {
    const { source, place } = handleOf(this, Standings)
    const named = ownersOf(players, 'players')
    return rowsOf(() => source.engine.byOwners(place, named))
  }

  /** Those with a score from `least` through `most`, best first. */
  byScoreRange (least, most, opts) {
    const { source, place } = handleOf(this, Standings)
    const stretch = stretchOf(options(opts, ['offset', 'limit']))
    const args = [integer(least, 'least'), integer(most, 'most'), ...stretch]
    return rowsOf(() => source.engine.byScoreRange(place, ...args))
  }

  /** How many are strictly better than a score. */
  countAbove (score) {
    const than = integer(score, 'score')
    return asked(this, (engine, place) => engine.countAbove(place, than))
  }
}

/** `source` has the engine, which is asked for anew by every call. */
function standingsOf (source, { window, index }) {
  return hold(Object.create(Standings.prototype), { source, place: { board: source.board, window, index } })
}

function asked (self, work) {
  const { source, place } = handleOf(self, Standings)
  const { engine } = source
  return call(() => work(engine, place))
}

module.exports = { Board, Standings }

'use strict'
// A board of an engine, for reading and archiving.

const { count, integer, options, text } = require('./arguments.js')
const { archived } = require('./archive.js')
const { cursorOf, ownersOf, stretchOf } = require('./board.js')
const { argumentError, call } = require('./errors.js')
const { read } = require('./json.js')
const { handleOf, heldBy, hold, native } = require('./native.js')
const { pageOf, rowsOf, walk } = require('./rows.js')
const { WHEN, readingOf, whenOf } = require('./when.js')

/** Reads answer for a window's current period, for one so many `earlier`, or for a period. */
class Board {
  constructor (engine, name) {
    if (!(heldBy(engine) instanceof native.Engine)) throw argumentError(TypeError, 'a Board comes from Engine.board')
    // Asked for anew by every call: the engine may have been closed.
    hold(this, { get engine () { return heldBy(engine) }, name })
  }

  get name () {
    return handleOf(this, Board).name
  }

  /** The period that is current, or one so many `earlier`. */
  period (window, opts) {
    const { engine, name } = handleOf(this, Board)
    const when = readingOf(window, opts)
    return read(call(() => engine.boardPeriod(name, when)))
  }

  /** `future`, `open`, `grace`, `sealed` or `dropped`. */
  state (window, opts) {
    const { engine, name } = handleOf(this, Board)
    const when = readingOf(window, opts)
    return read(call(() => engine.boardState(name, when)))
  }

  /** The best `limit`. */
  top (window, limit, opts) {
    handleOf(this, Board)
    return this.page(window, 0, limit, opts)
  }

  /** `offset..offset + limit`, best first. */
  page (window, offset, limit, opts) {
    const { engine, name } = handleOf(this, Board)
    const args = [readingOf(window, opts), count(offset, 'offset'), count(limit, 'limit')]
    return rowsOf(() => engine.boardPage(name, ...args))
  }

  /** The first `limit` for null, or those behind a page's end: `{ rows, next }`. */
  pageAfter (window, cursor, limit, opts) {
    const { engine, name } = handleOf(this, Board)
    const args = [readingOf(window, opts), cursorOf(cursor), count(limit, 'limit')]
    return pageOf(() => engine.boardPageAfter(name, ...args))
  }

  /** Everybody of one period, best first, in stretches that follow one another by cursor. */
  rows (window, opts) {
    const { engine, name } = handleOf(this, Board)
    const when = readingOf(window, opts)
    const period = { ...read(call(() => engine.boardPeriod(name, when))), earlier: 0, now: when.now }
    const page = (after, limit) => {
      const { engine } = handleOf(this, Board)
      return pageOf(() => engine.boardPageAfter(name, period, after ?? undefined, limit))
    }
    return walk(page)
  }

  /** A player's rank from 1; null for one who is not on the board. */
  rank (window, player, opts) {
    const { engine, name } = handleOf(this, Board)
    const args = [readingOf(window, opts), text(player, 'player')]
    return call(() => engine.boardRank(name, ...args)) ?? null
  }

  /** How many of the others a player is ahead of, in hundredths of a percent; null for one who is not on the board. */
  percentile (window, player, opts) {
    const { engine, name } = handleOf(this, Board)
    const args = [readingOf(window, opts), text(player, 'player')]
    return call(() => engine.boardPercentile(name, ...args)) ?? null
  }

  /** A player's row with up to `eachSide` rows above and below. */
  around (window, player, eachSide, opts) {
    const { engine, name } = handleOf(this, Board)
    const args = [readingOf(window, opts), text(player, 'player'), count(eachSide, 'eachSide')]
    return rowsOf(() => engine.boardAround(name, ...args))
  }

  /** Rows of some players, best first, with their ranks on the whole board. */
  byOwners (window, players, opts) {
    const { engine, name } = handleOf(this, Board)
    const args = [readingOf(window, opts), ownersOf(players, 'players')]
    return rowsOf(() => engine.boardByOwners(name, ...args))
  }

  /** Those with a score from `least` through `most`, best first. */
  byScoreRange (window, least, most, opts) {
    const { engine, name } = handleOf(this, Board)
    const given = options(opts, ['offset', 'limit', ...WHEN])
    const args = [whenOf(window, given), integer(least, 'least'), integer(most, 'most'), ...stretchOf(given)]
    return rowsOf(() => engine.boardByScoreRange(name, ...args))
  }

  /** How many are strictly better than a score. */
  countAbove (window, score, opts) {
    const { engine, name } = handleOf(this, Board)
    const args = [readingOf(window, opts), integer(score, 'score')]
    return call(() => engine.boardCountAbove(name, ...args))
  }

  /** How many stand on the board. */
  len (window, opts) {
    const { engine, name } = handleOf(this, Board)
    const when = readingOf(window, opts)
    return call(() => engine.boardLen(name, when))
  }

  /** Archives a finished period that is still kept: `{ archive, names }`. */
  archive (window, opts) {
    const { engine, name } = handleOf(this, Board)
    const when = readingOf(window, opts)
    return archived(() => engine.boardArchive(name, when))
  }
}

module.exports = { Board }

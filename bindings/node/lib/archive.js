'use strict'
// Finished periods: bytes that never change and name nobody, and beside them the names, which can be forgotten.

const { bytes, count, handle, options, required, text, TIME } = require('./arguments.js')
const { Leaderboard, ownersOf } = require('./board.js')
const { argumentError, call } = require('./errors.js')
const { read } = require('./json.js')
const { handleOf, hold, native } = require('./native.js')
const { tiersOf } = require('./payout.js')
const { rowsOf, EACH_SIDE, STRETCH, TOP_LEN } = require('./rows.js')
const { Calendar } = require('./rules.js')
const { whenOf } = require('./when.js')

/** An object of ours around one of the addon's. */
const make = (Class, work) => hold(Object.create(Class.prototype), call(work))

/** Both halves of an archive. */
function archived (work) {
  const both = call(work)
  return Object.freeze({ archive: make(Archive, () => both.archive()), names: make(Names, () => both.names()) })
}

/** Who came where, without saying who. */
class Archive {
  constructor () {
    throw argumentError(TypeError, 'an Archive comes from a board, Archive.of or Archive.fromBytes')
  }

  /** Archives a Leaderboard as a closed period of a calendar: `{ archive, names }`. */
  static of (leaderboard, opts) {
    const given = required(opts, ['board', 'period', 'calendar', ...TIME], 'options')
    const source = handle(leaderboard, 'leaderboard', Leaderboard)
    const board = given.board === undefined ? undefined : text(given.board, 'board')
    const calendar = handle(given.calendar ?? new Calendar(), 'calendar', Calendar)
    const when = whenOf(given.period, given)
    return archived(() => native.Archive.of(source, board, calendar, when))
  }

  /** The archive of bytes that `toBytes` made. */
  static fromBytes (content) {
    const given = bytes(content, 'bytes')
    return make(Archive, () => native.Archive.fromBytes(given))
  }

  toBytes () {
    return handleOf(this, Archive).toBytes()
  }

  /** What it is of: board, period, times and ways to sort. */
  get heading () {
    return read(handleOf(this, Archive).heading())
  }

  /** Names it by its content. */
  get checksum () {
    return handleOf(this, Archive).checksum()
  }

  /** How many owners were archived. */
  get length () {
    return handleOf(this, Archive).length
  }

  /** `offset..offset + limit` without names, best first. */
  rows (offset, limit) {
    const stretch = [count(offset, 'offset'), count(limit, 'limit')]
    const numbers = call(() => handleOf(this, Archive).rows(...stretch))
    const row = (_, place) => {
      const [rank, score, subscore, reachedAt] = numbers.slice(4 * place, 4 * place + 4)
      return Object.freeze({ rank, score, subscore, reachedAt })
    }
    return Object.freeze(Array.from({ length: numbers.length / 4 }, row))
  }

  /** The archive with its names, as it is shown now: without those forgotten, and without those in `hiding`. */
  read (names, opts) {
    const { hiding } = options(opts, ['hiding'])
    const hidden = hiding === undefined ? [] : ownersOf(hiding, 'hiding')
    const given = handle(names, 'names', Names)
    return make(ArchiveView, () => handleOf(this, Archive).read(given, hidden))
  }
}

/** Whose the places of one archive are: personal data. */
class Names {
  constructor () {
    throw argumentError(TypeError, 'Names come with an Archive, or from Names.fromBytes')
  }

  /** The names of bytes that `toBytes` made. */
  static fromBytes (content) {
    const given = bytes(content, 'bytes')
    return make(Names, () => native.Names.fromBytes(given))
  }

  toBytes () {
    return handleOf(this, Names).toBytes()
  }

  /** The checksum of the archive that they belong to. */
  get archive () {
    return handleOf(this, Names).archive()
  }

  /** How many are known. */
  get length () {
    return handleOf(this, Names).length
  }

  /** Forgets one for good; whether there was one. Part of erasing a player. */
  forget (player) {
    return handleOf(this, Names).forget(text(player, 'player'))
  }

  /** The place of one, from 0; null for one who is not known. */
  placeOf (player) {
    return handleOf(this, Names).placeOf(text(player, 'player')) ?? null
  }
}

/** An archive as it was shown when it was read. Offsets and lengths count who is shown; ranks are those archived. */
class ArchiveView {
  constructor () {
    throw argumentError(TypeError, 'an ArchiveView comes from Archive.read or WindowedLeaderboard.archived')
  }

  /** How many are shown. */
  get length () {
    return handleOf(this, ArchiveView).length
  }

  /** The best `limit`. */
  top (limit = TOP_LEN) {
    handleOf(this, ArchiveView)
    return this.page(0, limit)
  }

  /** `offset..offset + limit`, best first. */
  page (offset, limit) {
    const stretch = [count(offset, 'offset'), count(limit, 'limit')]
    return rowsOf(() => handleOf(this, ArchiveView).page(...stretch))
  }

  /** Everyone who is shown, best first. */
  [Symbol.iterator] () {
    handleOf(this, ArchiveView)
    return everyone(this)
  }

  /** The rank of an owner, as archived; null for one who is not shown. */
  rank (owner) {
    return handleOf(this, ArchiveView).rank(text(owner, 'owner')) ?? null
  }

  /** An owner's row with up to `eachSide` rows above and below. */
  around (owner, eachSide = EACH_SIDE) {
    const [name, side] = [text(owner, 'owner'), count(eachSide, 'eachSide')]
    return rowsOf(() => handleOf(this, ArchiveView).around(name, side))
  }

  /** Who gets what, best first. Nobody moves up into the ranks of those who are not shown. */
  awards (tiers) {
    const given = tiersOf(tiers)
    return read(call(() => handleOf(this, ArchiveView).awards(given)))
  }
}

function * everyone (view) {
  for (let from = 0; from < view.length; from += STRETCH) yield * view.page(from, STRETCH)
}

module.exports = { Archive, ArchiveView, Names, archived, makeView: (work) => make(ArchiveView, work) }

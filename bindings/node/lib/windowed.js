'use strict'
// A leaderboard by calendar, used alone.

const { bytes, count, handle, instant, now, object, options, required, since, text, TIME } = require('./arguments.js')
const { archived, makeView } = require('./archive.js')
const { batchOf } = require('./batch.js')
const { BOARD, boardOf, cursorOf, ownersOf, points, score, stretchOf, subscoreOf } = require('./board.js')
const { call } = require('./errors.js')
const { read } = require('./json.js')
const { close, dispose, handleOf, hold, native } = require('./native.js')
const { tiersOf } = require('./payout.js')
const { pageOf, rowsOf, scoreOf, walk, EACH_SIDE, PAGE_LEN, TOP_LEN } = require('./rows.js')
const { Calendar, taken, windowName } = require('./rules.js')
const { WHEN, readingOf, whenOf } = require('./when.js')

/** What the addon makes a board of. */
function setup (opts) {
  const given = required(opts, [...BOARD, 'calendar', 'windows'], 'options')
  const board = boardOf(given)
  const calendar = handle(given.calendar ?? new Calendar(), 'calendar', Calendar)
  const names = Object.keys(object(given.windows, 'windows')).map(windowName)
  const windows = required(given.windows, names, 'windows')
  return [board, calendar, names, names.map((name) => count(windows[name], `windows.${name}`))]
}

/** When a value's event was, and when it came in. */
function timesOf (given) {
  const time = now(given)
  return { ts: Object.hasOwn(given, 'ts') ? instant(given.ts, 'ts') : time, now: time }
}

/** One ranked set for each period of each window. */
class WindowedLeaderboard {
  constructor (opts) {
    const given = setup(opts)
    hold(this, call(() => new native.WindowedLeaderboard(...given)))
  }

  /** A board of these settings with what a snapshot holds; they have to be those of the board that was saved. */
  static restore (opts, snapshot) {
    const given = setup(opts)
    const content = bytes(snapshot, 'snapshot')
    return hold(Object.create(WindowedLeaderboard.prototype), call(() => native.WindowedLeaderboard.restore(...given, content)))
  }

  /** Every period as bytes. The calendar is not in them. */
  snapshot () {
    return handleOf(this, WindowedLeaderboard).snapshot()
  }

  /** By which cursors, archives and snapshots know it; null if it has none. */
  get name () {
    return handleOf(this, WindowedLeaderboard).name ?? null
  }

  /** Owners with an entry in any kept period, and hidden ones. */
  get owners () {
    return handleOf(this, WindowedLeaderboard).owners
  }

  /** Takes one value of time `ts` into every window, or on an error into none: the periods it was too late for. */
  submit (owner, value, opts) {
    const given = options(opts, ['subscore', 'ts', ...TIME])
    const times = timesOf(given)
    return read(call(() => handleOf(this, WindowedLeaderboard).submit(text(owner, 'owner'), points(value), subscoreOf(given), times)))
  }

  /** Takes many values of one time, all of them or none: the periods they were too late for. */
  submitBatch (owners, scores, opts) {
    const given = options(opts, ['subscores', 'ts', ...TIME])
    const batch = batchOf(owners, scores, [given.subscores])
    const times = timesOf(given)
    return read(call(() => handleOf(this, WindowedLeaderboard).submitBatch(...batch, times)))
  }

  /** Removes an owner from every kept period, and the name from archives; whether there was any. */
  remove (owner) {
    return handleOf(this, WindowedLeaderboard).remove(text(owner, 'owner'))
  }

  /** Takes an owner off every period, those to come included; whether anything changed. */
  hide (owner) {
    return handleOf(this, WindowedLeaderboard).hide(text(owner, 'owner'))
  }

  /** Shows an owner again, everywhere at the exact place of before; whether anything changed. */
  unhide (owner) {
    return handleOf(this, WindowedLeaderboard).unhide(text(owner, 'owner'))
  }

  /** Forgets periods that are dropped; to be called now and then. */
  advance (opts) {
    handleOf(this, WindowedLeaderboard).advance(now(options(opts, TIME)))
  }

  /** The current period. */
  current (window, opts) {
    handleOf(this, WindowedLeaderboard)
    return this.period(window, opts)
  }

  /** The current period, or one so many `earlier`. */
  period (window, opts) {
    const when = readingOf(window, opts)
    return read(call(() => handleOf(this, WindowedLeaderboard).period(when)))
  }

  /** `future`, `open`, `grace`, `sealed`, `archived` or `dropped`. */
  state (window, opts) {
    const when = readingOf(window, opts)
    return read(call(() => handleOf(this, WindowedLeaderboard).state(when)))
  }

  /** Periods of the board's windows that close in `after < t <= through`, once and in order, made as they are taken. */
  closedBetween (after, through) {
    const [from, until] = [since(after, 'after'), since(through, 'through')]
    return taken(call(() => handleOf(this, WindowedLeaderboard).closings(from, until)))
  }

  /** The best `limit`. */
  top (window, limit = TOP_LEN, opts = undefined) {
    handleOf(this, WindowedLeaderboard)
    return this.page(window, 0, limit, opts)
  }

  /** `offset..offset + limit`, best first. */
  page (window, offset, limit, opts) {
    const args = [readingOf(window, opts), count(offset, 'offset'), count(limit, 'limit')]
    return rowsOf(() => handleOf(this, WindowedLeaderboard).page(...args))
  }

  /** The first `limit` for null, or those behind a page's end: `{ rows, next }`. */
  pageAfter (window, cursor = null, limit = PAGE_LEN, opts = undefined) {
    const args = [readingOf(window, opts), cursorOf(cursor), count(limit, 'limit')]
    return pageOf(() => handleOf(this, WindowedLeaderboard).pageAfter(...args))
  }

  /** Everybody of one period, best first, in stretches that follow one another by cursor. */
  rows (window, opts) {
    const when = readingOf(window, opts)
    // Asked at once, so that a period that is not kept is told here and not at the first row.
    call(() => handleOf(this, WindowedLeaderboard).length(when))
    const period = { ...read(call(() => handleOf(this, WindowedLeaderboard).period(when))), earlier: 0, now: when.now }
    const page = (after, limit) => pageOf(() => handleOf(this, WindowedLeaderboard).pageAfter(period, after ?? undefined, limit))
    return walk(page)
  }

  /** `{ score, subscore }`, hidden or not; null for a stranger. */
  score (window, owner, opts) {
    const args = [readingOf(window, opts), text(owner, 'owner')]
    return scoreOf(call(() => handleOf(this, WindowedLeaderboard).score(...args)))
  }

  /** Rank from 1; null for one who is not shown. */
  rank (window, owner, opts) {
    const args = [readingOf(window, opts), text(owner, 'owner')]
    return call(() => handleOf(this, WindowedLeaderboard).rank(...args)) ?? null
  }

  /** An owner's row with up to `eachSide` rows above and below. */
  around (window, owner, eachSide = EACH_SIDE, opts = undefined) {
    const args = [readingOf(window, opts), text(owner, 'owner'), count(eachSide, 'eachSide')]
    return rowsOf(() => handleOf(this, WindowedLeaderboard).around(...args))
  }

  /** Rows of some owners, best first, with their ranks on the whole board. */
  byOwners (window, owners, opts) {
    const args = [readingOf(window, opts), ownersOf(owners)]
    return rowsOf(() => handleOf(this, WindowedLeaderboard).byOwners(...args))
  }

  /** Those with a score from `least` through `most`, best first. */
  byScoreRange (window, least, most, opts) {
    const given = options(opts, ['offset', 'limit', ...WHEN])
    const args = [whenOf(window, given), score(least, 'least'), score(most, 'most'), ...stretchOf(given)]
    return rowsOf(() => handleOf(this, WindowedLeaderboard).byScoreRange(...args))
  }

  /** How many are strictly better than a score. */
  countAbove (window, value, opts) {
    const args = [readingOf(window, opts), score(value)]
    return call(() => handleOf(this, WindowedLeaderboard).countAbove(...args))
  }

  /** How many of the others an owner is ahead of, in hundredths of a percent; null for one who is not shown. */
  percentile (window, owner, opts) {
    const args = [readingOf(window, opts), text(owner, 'owner')]
    return call(() => handleOf(this, WindowedLeaderboard).percentile(...args)) ?? null
  }

  /** How many are shown. */
  length (window, opts) {
    const when = readingOf(window, opts)
    return call(() => handleOf(this, WindowedLeaderboard).length(when))
  }

  /** Turns a sealed period into an archive: `{ archive, names }`. Again, it is the same archive, with the names of now. */
  archive (window, opts) {
    const when = readingOf(window, opts)
    return archived(() => handleOf(this, WindowedLeaderboard).archive(when))
  }

  /** An archived period as it is shown now, for reading. */
  archived (window, opts) {
    const when = readingOf(window, opts)
    return makeView(() => handleOf(this, WindowedLeaderboard).archived(when))
  }

  /** Who gets what for a sealed or archived period, best first. */
  payout (window, tiers, opts) {
    const args = [readingOf(window, opts), tiersOf(tiers)]
    return read(call(() => handleOf(this, WindowedLeaderboard).payout(...args)))
  }

  /** Lets go of every period now; whatever is called later throws `closed`. Once more is nothing. */
  close () {
    close(this, WindowedLeaderboard)
  }

  /** The same, for `using`. */
  [dispose] () {
    close(this, WindowedLeaderboard)
  }
}

module.exports = { WindowedLeaderboard }

'use strict'
// Leaderboards used alone. Scores stay within ±(2^53 - 1); what would leave that is `score_overflow`.

const { count, handle, instant, integer, list, now, options, required, text, word, INTEGER_MAX, TIME } = require('./arguments.js')
const { call } = require('./errors.js')
const { read } = require('./json.js')
const { handleOf, hold, native } = require('./native.js')
const { Calendar, periodOf, windowName } = require('./rules.js')

const WAYS = {
  order: ['desc', 'asc'],
  operator: ['incr', 'best', 'set', 'decr'],
  ties: ['firstToReach', 'lastToReach', 'ownerId'],
  ranking: ['ordinal', 'competition', 'dense']
}

/** How a board sorts and counts; the first of each list unless said otherwise. */
function waysOf (given) {
  const way = ([name, words]) => [name, given[name] === undefined ? words[0] : word(given[name], name, words)]
  return Object.fromEntries(Object.entries(WAYS).map(way))
}

const score = (value, name = 'score') => integer(value, name, -INTEGER_MAX, INTEGER_MAX)
const subscoreOf = ({ subscore }) => subscore === undefined ? 0 : score(subscore, 'subscore')

/** One ranked set of owners. */
class Leaderboard {
  constructor (opts) {
    const ways = waysOf(options(opts, Object.keys(WAYS)))
    hold(this, call(() => new native.Leaderboard(ways)))
  }

  /** Takes one value: the owner's standing after it. `at` decides ties; submits without it are ordered by their number. */
  submit (owner, value, opts) {
    const given = options(opts, ['subscore', 'at'])
    const at = given.at === undefined ? undefined : instant(given.at, 'at')
    return read(call(() => handleOf(this).submit(text(owner, 'owner'), score(value), subscoreOf(given), at)))
  }

  /** Whether there was an entry. */
  remove (owner) {
    return handleOf(this).remove(text(owner, 'owner'))
  }

  /** Takes an owner off the board without forgetting the entry; whether anything changed. */
  hide (owner) {
    return handleOf(this).hide(text(owner, 'owner'))
  }

  /** Shows an owner again, at the exact place of before; whether anything changed. */
  unhide (owner) {
    return handleOf(this).unhide(text(owner, 'owner'))
  }

  /** `{ score, subscore }`, hidden or not; null for a stranger. */
  score (owner) {
    return read(handleOf(this).score(text(owner, 'owner')))
  }

  /** Rank from 1; null for one who is not shown. */
  rank (owner) {
    return handleOf(this).rank(text(owner, 'owner')) ?? null
  }

  /** The best `limit`. */
  top (limit) {
    return this.page(0, limit)
  }

  /** `offset..offset + limit`, best first. */
  page (offset, limit) {
    return read(handleOf(this).page({ offset: count(offset, 'offset'), limit: count(limit, 'limit') }))
  }

  /** An owner's row with up to `eachSide` rows above and below. */
  around (owner, eachSide) {
    return read(handleOf(this).around(text(owner, 'owner'), count(eachSide, 'eachSide')))
  }

  /** Rows of some owners, best first, with their ranks on the whole board. */
  byOwners (owners) {
    return read(handleOf(this).byOwners(list(owners, 'owners').map((owner) => text(owner, 'an owner'))))
  }

  /** How many are strictly better than a score. */
  countAbove (value) {
    return handleOf(this).countAbove(score(value))
  }

  /** How many are shown. */
  get length () {
    return handleOf(this).length
  }
}

/** One ranked set for each period of each window. */
class WindowedLeaderboard {
  constructor (opts) {
    const given = required(opts, [...Object.keys(WAYS), 'calendar', 'windows'], 'options')
    const ways = waysOf(given)
    const calendar = handle(given.calendar ?? new Calendar(), 'calendar', Calendar)
    const windows = required(given.windows, ['daily', 'weekly', 'monthly', 'seasonal', 'allTime'], 'windows')
    const names = Object.keys(windows)
    const keep = names.map((name) => count(windows[name], `windows.${name}`))
    hold(this, call(() => new native.WindowedLeaderboard(ways, calendar, names, keep)))
  }

  /** Takes one value of time `ts` into every window, or on an error into none: the periods it was too late for. */
  submit (owner, value, opts) {
    const given = options(opts, ['subscore', 'ts', ...TIME])
    const time = now(given)
    const ts = 'ts' in given ? instant(given.ts, 'ts') : time
    return read(call(() => handleOf(this).submit(text(owner, 'owner'), score(value), subscoreOf(given), ts, time)))
  }

  /** The best `limit` of the current period. */
  top (window, limit, opts) {
    const time = now(options(opts, TIME))
    return read(call(() => handleOf(this).top(windowName(window), count(limit, 'limit'), time)))
  }

  /** `offset..offset + limit` of a period, best first. */
  page (period, offset, limit, opts) {
    const { window, index } = periodOf(period)
    const time = now(options(opts, TIME))
    const stretch = { offset: count(offset, 'offset'), limit: count(limit, 'limit') }
    return read(call(() => handleOf(this).page(window, index, stretch, time)))
  }

  /** Rank in the current period, from 1; null for one who is not there. */
  rank (window, owner, opts) {
    const time = now(options(opts, TIME))
    return call(() => handleOf(this).rank(windowName(window), text(owner, 'owner'), time)) ?? null
  }

  /** The current period. */
  current (window, opts) {
    const time = now(options(opts, TIME))
    return read(call(() => handleOf(this).current(windowName(window), time)))
  }

  /** Forgets periods that are dropped; to be called now and then. */
  advance (opts) {
    handleOf(this).advance(now(options(opts, TIME)))
  }
}

module.exports = { Leaderboard, WindowedLeaderboard }

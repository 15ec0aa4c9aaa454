'use strict'
// From verdicts to alerts: in words, one an excursion, and no more of a player than somebody can look at.

const { bytes, count, handle, integer, members, now, number, options, required, text, word, TIME } = require('./arguments.js')
const { call } = require('./errors.js')
const { handleOf, hold, native } = require('./native.js')

/** A verdict in one sentence: what is wrong, by how much, and compared with what. */
function sentenceOf (verdict) {
  const given = verdictOf(verdict)
  return call(() => native.sentenceOf(given))
}

/** Turns the verdicts of a detector into alerts: the first of an excursion is one. */
class Hysteresis {
  constructor (opts) {
    options(opts, [])
    hold(this, new native.Hysteresis())
  }

  /** Whether this verdict begins an excursion. */
  isFirst (verdict) {
    const given = verdictOf(verdict)
    return call(() => handleOf(this, Hysteresis).isFirst(given))
  }

  /** Whether an excursion is going on. */
  get isRaised () {
    return handleOf(this, Hysteresis).isRaised
  }
}

/** How many alerts of one player are raised within a day; what comes beyond is counted. */
class AlertBudget {
  constructor (opts) {
    const { perDay } = required(opts, ['perDay'], 'options')
    const most = count(perDay, 'perDay', 1)
    hold(this, call(() => new native.AlertBudget(most)))
  }

  /** Whether an alert is raised; it is counted either way. */
  allows (tally, opts) {
    const args = [handle(tally, 'tally', AlertTally), now(options(opts, TIME))]
    return handleOf(this, AlertBudget).allows(...args)
  }
}

/** What one player has spent of an AlertBudget. */
class AlertTally {
  constructor (opts) {
    options(opts, [])
    hold(this, new native.AlertTally())
  }

  static fromBytes (content) {
    const given = bytes(content, 'bytes')
    return hold(Object.create(AlertTally.prototype), call(() => native.AlertTally.fromBytes(given)))
  }

  toBytes () {
    return handleOf(this, AlertTally).toBytes()
  }

  /** How many alerts were not raised, ever. */
  get suppressed () {
    return handleOf(this, AlertTally).suppressed
  }
}

/** In the form of the addon; members that no sentence needs are left out. */
function verdictOf (verdict) {
  const { score, threshold, direction, reason, baseline } = members(verdict, ['score', 'threshold', 'direction', 'reason', 'baseline'], 'verdict')
  const { n, mean, sd, source } = members(baseline, ['n', 'mean', 'sd', 'source'], 'baseline')
  return {
    score: number(score, 'score'),
    threshold: number(threshold, 'threshold'),
    direction: word(direction, 'direction', ['high', 'low']),
    reason: text(reason, 'reason'),
    n: integer(n, 'n', 0),
    mean: number(mean, 'mean'),
    sd: number(sd, 'sd'),
    source: word(source, 'source', ['player', 'population', 'rule'])
  }
}

module.exports = { AlertBudget, AlertTally, Hysteresis, sentenceOf }

'use strict'
// Passes through history: what is usual, and from where on it is an alert.

const { AT, at, count, handle, number, options, received, required, text } = require('./arguments.js')
const { argumentError, call } = require('./errors.js')
const { PlayerProfile } = require('./family.js')
const { read } = require('./json.js')
const { handleOf, hold, native } = require('./native.js')
const { makePopulation } = require('./population.js')
const { Rules } = require('./rules.js')
const { budgetOf, named } = require('./thresholds.js')

/** Builds a Population in one pass: players in any order, events of a player in theirs. */
class PopulationBuilder {
  constructor (opts) {
    options(opts, [])
    hold(this, new native.PopulationBuilder())
  }

  /** An amount that an activity brought. */
  gain (player, event) {
    const { activity, amount, boost, ...time } = required(event, ['activity', 'amount', 'boost', ...AT], 'event')
    const args = [text(player, 'player'), at(time), text(activity, 'activity'), number(amount, 'amount'), boost === undefined ? 1 : number(boost, 'boost')]
    call(() => handleOf(this, PopulationBuilder).gain(...args))
  }

  /** A boss, and how long it took. */
  kill (player, event) {
    const { boss, durationMs, ...time } = required(event, ['boss', 'durationMs', ...AT], 'event')
    const args = [text(player, 'player'), at(time), text(boss, 'boss'), count(durationMs, 'durationMs', 1)]
    call(() => handleOf(this, PopulationBuilder).kill(...args))
  }

  /** Lines of history, as rules tell families of them. */
  teachNdjson (rules, lines) {
    const args = [handle(rules, 'rules', Rules), received(lines, 'lines')]
    return read(call(() => handleOf(this, PopulationBuilder).teachNdjson(...args)))
  }

  /** Events of players for whom there was no room. */
  get leftOut () {
    return handleOf(this, PopulationBuilder).leftOut
  }

  /** The tables. */
  finish () {
    return makePopulation(() => handleOf(this, PopulationBuilder).finish())
  }
}

/** Finds thresholds from the most that each player's scores have been. */
class Calibrator {
  constructor (opts) {
    options(opts, [])
    hold(this, new native.Calibrator())
  }

  /** A player with no events yet. */
  player () {
    return hold(Object.create(PlayerMost.prototype), handleOf(this, Calibrator).player())
  }

  /** A player all of whose events were observed, and on how many days there were any. */
  add (player, opts) {
    const { days } = required(opts, ['days'], 'options')
    const args = [handle(player, 'player', PlayerMost), count(days, 'days')]
    handleOf(this, Calibrator).add(...args)
  }

  /** Thresholds that spend a budget of false alerts. */
  thresholds (budget) {
    const args = budgetOf(budget)
    return named(call(() => handleOf(this, Calibrator).thresholds(...args)))
  }
}

/** One player on the way through a Calibrator. */
class PlayerMost {
  constructor () {
    throw argumentError(TypeError, 'a PlayerMost comes from Calibrator.player')
  }

  /** What the scores are after another event. */
  observe (profile) {
    const given = handle(profile, 'profile', PlayerProfile)
    handleOf(this, PlayerMost).observe(given)
  }
}

module.exports = { Calibrator, PlayerMost, PopulationBuilder }

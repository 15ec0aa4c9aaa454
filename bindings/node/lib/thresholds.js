'use strict'
// Thresholds of a family: given, or found for a budget of false alerts.

const { isArrayBuffer, isUint8Array } = require('node:util').types
const { count, kindOf, number, received, required, text } = require('./arguments.js')
const { argumentError, call } = require('./errors.js')
const { read } = require('./json.js')
const { native } = require('./native.js')

/** The detectors of a family, in the order of its scores. */
const DETECTORS = Object.freeze(['robust', 'drift', 'dropRate', 'timeFloor', 'regularity'])
const BUDGETS = ['perPlayerDay', 'perEvent', 'perPlayer']

/** In the form of the addon: those that are not given are undefined. */
function thresholdsOf (thresholds) {
  if (thresholds === undefined) return []
  const given = required(thresholds, DETECTORS, 'thresholds')
  return DETECTORS.map((detector) => given[detector] === undefined ? undefined : number(given[detector], detector))
}

/** A number of each detector under its name. */
const named = (numbers) => Object.freeze(Object.fromEntries(DETECTORS.map((detector, place) => [detector, numbers[place]])))

/** `{ perPlayer: 0.003, events: 500 }` and the like as a unit, a rate and the length of play that it holds for. */
function budgetOf (budget) {
  const { events, ...given } = required(budget, [...BUDGETS, 'events'], 'budget')
  const units = Object.keys(given)
  if (units.length !== 1) throw argumentError(TypeError, `budget must have one of ${BUDGETS.join(', ')}`)
  if (events !== undefined && units[0] !== 'perPlayer') throw argumentError(TypeError, 'events belong to perPlayer')
  return [units[0], number(given[units[0]], units[0]), events === undefined ? undefined : count(events, 'events', 1)]
}

/** Thresholds for a family of rules from lines of history, and what became of the lines. */
function calibrate (rules, family, history, budget) {
  const [name, pieces, [unit, rate, over]] = [text(family, 'family'), piecesOf(history), budgetOf(budget)]
  let failed
  // What an iterable throws is thrown on as it is, past the addon.
  const next = () => {
    try {
      return pieces.next().value
    } catch (error) {
      failed = { error }
      return undefined
    }
  }
  try {
    const told = call(() => native.calibrate(rules, name, next, unit, rate, over))
    if (failed === undefined) {
      const { thresholds, ...counts } = read(told)
      return Object.freeze({ thresholds: named(thresholds), ...counts })
    }
  } catch (error) {
    if (failed === undefined) throw error
  }
  throw failed.error
}

/** Lines at once, or in pieces of whole lines. */
function * checked (pieces) {
  for (const piece of pieces) yield received(piece, 'history')
}

function piecesOf (history) {
  if (typeof history === 'string' || isUint8Array(history) || isArrayBuffer(history)) return checked([history])
  if (typeof history?.[Symbol.iterator] === 'function') return checked(history)
  throw argumentError(TypeError, `history must be lines, or an iterable of pieces of whole lines, not ${kindOf(history)}`)
}

module.exports = { DETECTORS, budgetOf, calibrate, named, thresholdsOf }

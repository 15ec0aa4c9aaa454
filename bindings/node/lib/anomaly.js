'use strict'
// Detectors: is this value unusual?

const { count, kindOf, options, required } = require('./arguments.js')
const { argumentError, call } = require('./errors.js')
const { read } = require('./json.js')
const { handleOf, hold, native } = require('./native.js')

/** What all detectors have. A value that is no finite number is an anomaly and teaches nothing. */
class Detector {
  constructor (work) {
    if (new.target === Detector) throw argumentError(TypeError, 'a detector is a ZScore, Ewma, Robust or TimeFloor')
    hold(this, call(work))
  }

  /** The verdict on a value, which is then learned. */
  observe (value) {
    return read(handleOf(this).observe(number(value, 'value')))
  }

  /** The verdict on a value. */
  score (value) {
    return read(handleOf(this).score(number(value, 'value')))
  }

  /** Learns a value. */
  learn (value) {
    handleOf(this).learn(number(value, 'value'))
  }
}

/** Distance from the mean of all earlier values. */
class ZScore extends Detector {
  constructor (opts) {
    const { threshold } = options(opts, ['threshold'])
    super(() => native.Detector.zScore(thresholdOf(threshold)))
  }
}

/** Distance from the mean of recent values. */
class Ewma extends Detector {
  constructor (opts) {
    const { threshold, span } = options(opts, ['threshold', 'span'])
    super(() => native.Detector.ewma(thresholdOf(threshold), span === undefined ? 20 : count(span, 'span', 10)))
  }
}

/** How many times as large as usual, with an opinion from the first value on. */
class Robust extends Detector {
  constructor (opts) {
    const { threshold, prior } = options(opts, ['threshold', 'prior'])
    super(() => native.Detector.robust(thresholdOf(threshold), priorOf(prior)))
  }
}

/** A duration shorter than possible. */
class TimeFloor extends Detector {
  constructor (opts) {
    const { minimumMs } = required(opts, ['minimumMs'], 'options')
    super(() => native.Detector.timeFloor(count(minimumMs, 'minimumMs')))
  }
}

function priorOf (prior) {
  if (prior === undefined) return undefined
  const given = required(prior, ['mean', 'sd', 'weight'], 'prior')
  return [number(given.mean, 'mean'), number(given.sd, 'sd'), number(given.weight, 'weight')]
}

const thresholdOf = (value) => value === undefined ? 3 : number(value, 'threshold')

function number (value, name) {
  if (typeof value === 'number') return value
  throw argumentError(TypeError, `${name} must be a number, not ${kindOf(value)}`)
}

module.exports = { Detector, ZScore, Ewma, Robust, TimeFloor }

'use strict'
// Detectors: is this value unusual?

const { another, bytes, column, count, instant, number, options, required } = require('./arguments.js')
const { argumentError, call } = require('./errors.js')
const { read } = require('./json.js')
const { handleOf, heldBy, hold, native } = require('./native.js')
const { tablesOf } = require('./population.js')

/** What all detectors have. A value that is no finite number is an anomaly and teaches nothing. */
class Detector {
  constructor (work) {
    if (new.target === Detector) throw argumentError(TypeError, 'a detector is a ZScore, Ewma, Robust, Cusum or TimeFloor')
    hold(this, call(work))
  }

  /** The verdict on a value, which is then learned. */
  observe (value) {
    return read(handleOf(this, Detector).observe(number(value, 'value')))
  }

  /** The verdict on a value. */
  score (value) {
    return read(handleOf(this, Detector).score(number(value, 'value')))
  }

  /** Learns a value. */
  learn (value) {
    handleOf(this, Detector).learn(number(value, 'value'))
  }

  /** Scores and learns many values, or none of them. */
  observeMany (values) {
    const given = column(values, 'values', 'Float64Array')
    return batchOf(call(() => handleOf(this, Detector).observeMany(given)))
  }

  /** Takes in what another of the same kind has learned. */
  merge (other) {
    const given = another(this, other, Detector)
    call(() => handleOf(this, Detector).merge(given))
  }

  /** What it has learned, for `fromBytes` of its class. */
  toBytes () {
    return handleOf(this, Detector).toBytes()
  }
}

/** Distance from the mean of all earlier values. */
class ZScore extends Detector {
  constructor (opts) {
    const { threshold } = options(opts, ['threshold'])
    super(() => native.Detector.zScore(thresholdOf(threshold)))
  }

  static fromBytes (content, opts) {
    return restored(new ZScore(opts), content)
  }
}

/** Distance from the mean of recent values. */
class Ewma extends Detector {
  constructor (opts) {
    const { threshold, span } = options(opts, ['threshold', 'span'])
    super(() => native.Detector.ewma(thresholdOf(threshold), span === undefined ? 20 : count(span, 'span', 10)))
  }

  static fromBytes (content, opts) {
    return restored(new Ewma(opts), content)
  }
}

/** How many times as large as usual: beside a prior from the first value on, or the player's own first ones. */
class Robust extends Detector {
  constructor (opts) {
    const { threshold, prior } = options(opts, ['threshold', 'prior'])
    super(() => native.Detector.robust(thresholdOf(threshold), priorOf(prior)))
  }

  static fromBytes (content, opts) {
    return restored(new Robust(opts), content)
  }
}

/** A mean that has risen, however slowly. */
class Cusum extends Detector {
  constructor (opts) {
    const { threshold, prior } = options(opts, ['threshold', 'prior'])
    super(() => native.Detector.cusum(thresholdOf(threshold, 12), priorOf(prior)))
  }

  static fromBytes (content, opts) {
    return restored(new Cusum(opts), content)
  }
}

/** A duration shorter than possible. */
class TimeFloor extends Detector {
  constructor (opts) {
    const { minimumMs } = required(opts, ['minimumMs'], 'options')
    super(() => native.Detector.timeFloor(count(minimumMs, 'minimumMs')))
  }

  static fromBytes (content, opts) {
    return restored(new TimeFloor(opts), content)
  }
}

/** Drops more often than the published odds say. */
class DropRate {
  constructor (opts) {
    const { odds, threshold } = required(opts, ['odds', 'threshold'], 'options')
    const args = [number(odds, 'odds'), thresholdOf(threshold, 11.5)]
    hold(this, call(() => new native.DropRate(...args)))
  }

  static fromBytes (content, opts) {
    return restored(new DropRate(opts), content)
  }

  /** Counts chances and what came of them; the verdict on all so far. */
  observe (chances, hits) {
    const args = countsOf(chances, hits)
    return read(call(() => handleOf(this, DropRate).observe(...args)))
  }

  /** The same without counting. */
  score (chances, hits) {
    const args = countsOf(chances, hits)
    return read(call(() => handleOf(this, DropRate).score(...args)))
  }

  learn (chances, hits) {
    const args = countsOf(chances, hits)
    call(() => handleOf(this, DropRate).learn(...args))
  }

  get chances () {
    return handleOf(this, DropRate).chances
  }

  get hits () {
    return handleOf(this, DropRate).hits
  }

  /** The exact probability of as many hits or more at these odds. */
  get tail () {
    return handleOf(this, DropRate).tail
  }

  merge (other) {
    const given = another(this, other, DropRate)
    call(() => handleOf(this, DropRate).merge(given))
  }

  toBytes () {
    return handleOf(this, DropRate).toBytes()
  }
}

/** Intervals as regular as a program's. */
class Regularity {
  constructor (opts) {
    const { threshold, population } = options(opts, ['threshold', 'population'])
    const args = [thresholdOf(threshold, 16), tablesOf(population)]
    hold(this, call(() => new native.Regularity(...args)))
  }

  static fromBytes (content, opts) {
    return restored(new Regularity(opts), content)
  }

  /** The verdict on an event at this time, which is then learned. */
  observe (time) {
    const at = instant(time, 'time')
    return read(call(() => handleOf(this, Regularity).observe(at)))
  }

  score (time) {
    const at = instant(time, 'time')
    return read(call(() => handleOf(this, Regularity).score(at)))
  }

  learn (time) {
    handleOf(this, Regularity).learn(instant(time, 'time'))
  }

  merge (other) {
    const given = another(this, other, Regularity)
    handleOf(this, Regularity).merge(given)
  }

  toBytes () {
    return handleOf(this, Regularity).toBytes()
  }
}

/** A detector as it is made, with what bytes hold. */
function restored (made, content) {
  const given = bytes(content, 'bytes')
  return hold(made, call(() => heldBy(made).withBytes(given)))
}

const countsOf = (chances, hits) => [count(chances, 'chances'), count(hits, 'hits')]

/** Scores in order, and what stands out by its index. */
const batchOf = ({ scores, findings }) => Object.freeze({ scores, findings: read(findings) })

function priorOf (prior) {
  if (prior === undefined) return undefined
  const given = required(prior, ['mean', 'sd', 'weight'], 'prior')
  return [number(given.mean, 'mean'), number(given.sd, 'sd'), number(given.weight, 'weight')]
}

const thresholdOf = (value, usual = 3) => value === undefined ? usual : number(value, 'threshold')

module.exports = { Cusum, Detector, DropRate, Ewma, Regularity, Robust, TimeFloor, ZScore }

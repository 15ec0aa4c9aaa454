'use strict'
// Tables of all players: what is usual in this game.

const { bytes, handle, options } = require('./arguments.js')
const { call } = require('./errors.js')
const { freeze } = require('./json.js')
const { handleOf, hold, native } = require('./native.js')

/** What each activity brings, how fast each boss falls, how regular people act. A new one knows nothing and is wide. */
class Population {
  constructor (opts) {
    options(opts, [])
    hold(this, new native.Population())
  }

  static fromBytes (content) {
    const given = bytes(content, 'bytes')
    return makePopulation(() => native.Population.fromBytes(given))
  }

  toBytes () {
    return handleOf(this, Population).toBytes()
  }

  /** Names the tables by their content. */
  get hash () {
    return handleOf(this, Population).hash
  }

  get activities () {
    return freeze(handleOf(this, Population).activities())
  }

  get bosses () {
    return freeze(handleOf(this, Population).bosses())
  }
}

const makePopulation = (work) => hold(Object.create(Population.prototype), call(work))

/** The native tables of a population, or of none. */
const tablesOf = (population) => population === undefined ? new native.Population() : handle(population, 'population', Population)

module.exports = { Population, makePopulation, tablesOf }

'use strict'
// Events: bodies against the schemas of their types, one at a time or a batch of lines.

const { body, flag, handle, now, options, received, TIME } = require('./arguments.js')
const { argumentError, call } = require('./errors.js')
const { read } = require('./json.js')
const { handleOf, hold, native } = require('./native.js')
const { Rules } = require('./rules.js')

const SETTINGS = ['rules', 'firstIssue']

/** Turns bodies into events: those of the rules' types, or of the built-in ones. */
class EventParser {
  constructor (opts) {
    const { rules, firstIssue } = options(opts, SETTINGS)
    const given = rules === undefined ? undefined : handle(rules, 'rules', Rules)
    hold(this, call(() => new native.EventParser(given, firstOf(firstIssue))))
  }

  /** The event, or a ValidationError. */
  parse (content, opts) {
    const time = now(options(opts, TIME))
    return read(call(() => handleOf(this).parse(body(content), time)))
  }

  /** Nothing, or a ValidationError. */
  validate (content, opts) {
    const time = now(options(opts, TIME))
    call(() => handleOf(this).validate(body(content), time))
  }

  /** Which of many lines are events. */
  validateBatch (lines, opts) {
    const time = now(options(opts, TIME))
    return new BatchReport(call(() => handleOf(this).validateBatch(received(lines, 'lines'), time)))
  }

  /** The same on another thread. */
  async validateBatchAsync (lines, opts) {
    const time = now(options(opts, TIME))
    return new BatchReport(await call(() => handleOf(this).validateBatchAsync(received(lines, 'lines'), time)))
  }
}

const firstOf = (value) => value === undefined ? false : flag(value, 'firstIssue')

/** How many lines are events. Why others are none stays on the native side until somebody asks. */
class BatchReport {
  #native
  #errors

  constructor (report) {
    if (!(report instanceof native.BatchReport)) throw argumentError(TypeError, 'a BatchReport comes from an EventParser')
    this.#native = report
    this.accepted = report.accepted
    this.refused = report.refused
    Object.freeze(this)
  }

  /** The first 1,000 lines that are none: `{ line, code, issues }`, lines from 1. */
  get errors () {
    this.#errors ??= read(call(() => this.#native.errors()))
    return this.#errors
  }

  toJSON () {
    const { accepted, refused, errors } = this
    return { accepted, refused, errors }
  }
}

/** Checks one body without signature or engine: the event, or a ValidationError. */
function validate (content, opts) {
  const { rules, firstIssue, ...time } = options(opts, [...SETTINGS, ...TIME])
  return new EventParser({ rules, firstIssue }).parse(content, time)
}

module.exports = { BatchReport, EventParser, validate }

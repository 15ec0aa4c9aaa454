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
    const { rules, firstIssue } = options(opts instanceof Rules ? { rules: opts } : opts, SETTINGS)
    const given = rules === undefined ? undefined : handle(rules, 'rules', Rules)
    hold(this, call(() => new native.EventParser(given, firstOf(firstIssue))))
  }

  /** The event, or a ValidationError. */
  parse (content, opts) {
    const time = now(options(opts, TIME))
    return read(call(() => handleOf(this, EventParser).parse(body(content), time)))
  }

  /** Nothing, or a ValidationError. */
  validate (content, opts) {
    const time = now(options(opts, TIME))
    call(() => handleOf(this, EventParser).validate(body(content), time))
  }

  /** Which of many lines are events. */
  validateBatch (lines, opts) {
    const time = now(options(opts, TIME))
    return new BatchReport(call(() => handleOf(this, EventParser).validateBatch(received(lines, 'lines'), time)))
  }

  /** The same on another thread. */
  async validateBatchAsync (lines, opts) {
    const time = now(options(opts, TIME))
    return new BatchReport(await call(() => handleOf(this, EventParser).validateBatchAsync(received(lines, 'lines'), time)))
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

  static #of (self) {
    if (self instanceof BatchReport && #native in self) return self
    throw argumentError(TypeError, 'this must be of class BatchReport, made by an EventParser')
  }

  /** The first 1,000 lines that are none: `{ line, code, issues }`, lines from 1. */
  get errors () {
    const own = BatchReport.#of(this)
    own.#errors ??= read(call(() => own.#native.errors()))
    return own.#errors
  }

  toJSON () {
    const { accepted, refused, errors } = BatchReport.#of(this)
    return { accepted, refused, errors }
  }
}

/** Checks one body without signature or engine: the event, or a ValidationError. */
function validate (content, opts) {
  const { rules, firstIssue, ...time } = options(opts, [...SETTINGS, ...TIME])
  return new EventParser({ rules, firstIssue }).parse(content, time)
}

module.exports = { BatchReport, EventParser, validate }

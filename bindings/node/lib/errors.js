'use strict'
// Errors as classes. The addon throws one JSON text; `call` turns it into the class that its `kind` names.

const { freeze, own } = require('./json.js')

/** What all errors of the library have: a stable `code`, and the status of an HTTP answer. */
class LiveopsError extends Error {
  constructor (message, { code, httpStatus, cause }) {
    super(message, typeof cause === 'string' ? { cause: new Error(cause) } : undefined)
    this.code = code
    this.httpStatus = httpStatus
  }
}

/** The rules document is wrong at `path` (a JSON Pointer); `issue` says what kind of fault it is. */
class RulesError extends LiveopsError {
  constructor (message, { path, issue, ...shared }) {
    super(message, shared)
    this.path = path
    this.issue = issue
  }
}

/** A message is not signed as it must be, or a secret or key is no good. */
class SignatureError extends LiveopsError {}

/** A body is no event; `issues` says where and why. */
class ValidationError extends LiveopsError {
  constructor (message, { issues, ...shared }) {
    super(message, shared)
    this.issues = freeze(issues)
  }
}

/** The store could not do what was asked. */
class StoreError extends LiveopsError {}

/** An event or command was not taken: all that an HTTP answer needs. */
class Refusal extends LiveopsError {
  #problem
  #headers

  static #own (self) {
    if (self instanceof Refusal && #problem in self) return self
    throw argumentError(TypeError, 'this must be of class Refusal')
  }

  constructor (message, { issues, problem, headers, retryAfter, ...shared }) {
    super(message, shared)
    this.issues = freeze(issues)
    this.retryAfter = retryAfter
    this.#problem = problem
    this.#headers = headers
  }

  /** A problem document (RFC 9457). */
  problem () {
    return structuredClone(Refusal.#own(this).#problem)
  }

  /** Headers that belong to the answer. */
  headers () {
    return Object.fromEntries(Refusal.#own(this).#headers)
  }
}

const CLASSES = { __proto__: null, rules: RulesError, signature: SignatureError, validation: ValidationError, store: StoreError, refusal: Refusal }

for (const Class of [LiveopsError, ...Object.values(CLASSES)]) {
  // On the prototype, so that it is not printed as a member of each error.
  Object.defineProperty(Class.prototype, 'name', { value: Class.name, configurable: true, writable: true })
}

/** A TypeError or RangeError of ours. Codes mean what they mean in the core: a number outside its range is `out_of_range`. */
function argumentError (Class, message, code = 'invalid_argument') {
  return Object.assign(new Class(message), { code })
}

/** The error behind what the addon says of it. */
function fromDetails (details) {
  const told = own(details)
  const { kind, message, index } = told
  const error = kind === 'argument' ? argumentError(RangeError, message, told.code) : new (CLASSES[kind] ?? LiveopsError)(message, told)
  // Of a batch: which value is at fault.
  return index === undefined ? error : Object.assign(error, { index })
}

/** What Node-API says of arguments that are of another type than the addon's. */
const MISFIT = /^(InvalidArg|\w+Expected)$/

/** Calls the addon; what it throws becomes an error of ours. */
function call (work) {
  try {
    return work()
  } catch (error) {
    throw translated(error)
  }
}

/** The same of a promise. */
async function called (work) {
  try {
    return await work()
  } catch (error) {
    throw translated(error)
  }
}

function translated (error) {
  try {
    return fromDetails(JSON.parse(error.message))
  } catch {
    return MISFIT.test(error?.code) ? argumentError(TypeError, 'an argument is of another type than is meant') : error
  }
}

module.exports = {
  LiveopsError, RulesError, SignatureError, ValidationError, StoreError, Refusal, argumentError, call, called, fromDetails
}

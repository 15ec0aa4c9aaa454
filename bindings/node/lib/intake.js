'use strict'
// The door: size, signature, quota and parsing in one call.

const { body, flag, handle, now, options, text, TIME } = require('./arguments.js')
const { makeCommand } = require('./command.js')
const { argumentError, call, SignatureError } = require('./errors.js')
const { headerList } = require('./headers.js')
const { handleOf, hold, native } = require('./native.js')
const { RateLimiter } = require('./quota.js')
const { Rules } = require('./rules.js')
const { ringOf, schemeOf, toleranceOf } = require('./signing.js')

const OPTIONS = ['secret', 'keys', 'scheme', 'toleranceSeconds', 'trusted', 'allowUnsignedId', 'quotas']

/** Lets events in. */
class Intake {
  constructor (rules, opts) {
    const given = options(opts, OPTIONS)
    const trusted = given.trusted === undefined ? false : flag(given.trusted, 'trusted')
    if (given.secret !== undefined && given.keys !== undefined) throw argumentError(TypeError, 'give secret or keys, not both')
    if (given.keys !== undefined && !Array.isArray(given.keys)) throw argumentError(TypeError, 'keys must be an array')
    const secret = given.secret ?? given.keys
    if (secret === undefined && !trusted) {
      throw new SignatureError('secret_invalid: an Intake needs a secret or keys, or trusted: true', { code: 'secret_invalid' })
    }
    const { quotas } = given
    const limiter = quotas === undefined || typeof quotas === 'boolean' ? undefined : handle(quotas, 'quotas', RateLimiter)
    const settings = {
      scheme: schemeOf(given.scheme),
      tolerance: toleranceOf(given.toleranceSeconds),
      trusted,
      allowUnsignedId: given.allowUnsignedId === undefined ? false : flag(given.allowUnsignedId, 'allowUnsignedId'),
      quotas: quotas !== false
    }
    const ring = secret === undefined ? undefined : ringOf(secret)
    hold(this, call(() => new native.Intake(handle(rules, 'rules', Rules), ring, settings, limiter)))
  }

  /** Checks one message; the event, stamped with the time of its arrival, or a Refusal. */
  admit (headers, rawBody, opts) {
    const given = options(opts, ['address', ...TIME])
    const address = given.address === undefined ? undefined : text(given.address, 'address')
    const time = now(given)
    const content = body(rawBody)
    return makeCommand(() => handleOf(this).admit(headerList(headers), content, time, address))
  }

  /** Tells the intake that the rules were replaced. */
  replaceRules (rules) {
    handleOf(this).replaceRules(handle(rules, 'rules', Rules))
  }
}

module.exports = { Intake }

'use strict'
// The door: size, signature, quota and parsing in one call.

const { body, count, each, flag, handle, now, options, required, text, TIME } = require('./arguments.js')
const { makeCommand } = require('./command.js')
const { argumentError, call, fromDetails, SignatureError } = require('./errors.js')
const { headerList } = require('./headers.js')
const { handleOf, hold, native } = require('./native.js')
const { RateLimiter } = require('./quota.js')
const { Rules } = require('./rules.js')
const { ringOf, schemeOf, toleranceOf } = require('./signing.js')

const OPTIONS = ['secret', 'keys', 'scheme', 'toleranceSeconds', 'trusted', 'allowUnsignedId', 'quotas', 'quotaShare', 'firstIssue']
const SENDER = ['address', 'trusted', 'trustedPlayer']

/** Lets events in. */
class Intake {
  constructor (rules, opts) {
    const given = options(opts, OPTIONS)
    const trusted = given.trusted === undefined ? false : flag(given.trusted, 'trusted')
    if (given.secret !== undefined && given.keys !== undefined) throw argumentError(TypeError, 'give secret or keys, not both')
    if (given.keys !== undefined && !Array.isArray(given.keys)) throw argumentError(TypeError, 'keys must be an array')
    const secret = given.secret ?? given.keys
    if (secret !== undefined && trusted) throw argumentError(TypeError, 'give a secret or keys, or trusted: true, not both')
    if (secret === undefined && !trusted) {
      throw new SignatureError('secret_invalid: an Intake needs a secret or keys, or trusted: true', { code: 'secret_invalid', httpStatus: 500 })
    }
    const { quotas } = given
    const limiter = quotas === undefined || typeof quotas === 'boolean' ? undefined : handle(quotas, 'quotas', RateLimiter)
    const settings = {
      scheme: schemeOf(given.scheme),
      tolerance: toleranceOf(given.toleranceSeconds),
      trusted,
      allowUnsignedId: given.allowUnsignedId === undefined ? false : flag(given.allowUnsignedId, 'allowUnsignedId'),
      quotas: quotas !== false,
      quotaShare: given.quotaShare === undefined ? 1 : count(given.quotaShare, 'quotaShare', 1),
      firstIssue: given.firstIssue === undefined ? false : flag(given.firstIssue, 'firstIssue')
    }
    const ring = secret === undefined ? undefined : ringOf(secret)
    hold(this, call(() => new native.Intake(handle(rules, 'rules', Rules), ring, settings, limiter)))
  }

  /** Checks one message; the event, stamped with the time of its arrival, or a Refusal. */
  admit (headers, rawBody, opts) {
    const given = options(opts, [...SENDER, ...TIME])
    const time = now(given)
    const message = messageOf(headers, rawBody, given)
    return makeCommand(() => handleOf(this, Intake).admit(message, time))
  }

  /** Checks many messages, each by itself and in order: of each the event or a Refusal, which is not thrown. */
  admitBatch (requests, opts) {
    const time = now(options(opts, TIME))
    const messages = each(requests, 'requests', (request) => {
      const given = required(request, ['headers', 'body', ...SENDER], 'a request')
      return messageOf(given.headers, given.body, given)
    })
    const answers = call(() => handleOf(this, Intake).admitBatch(messages, time))
    return Object.freeze(answers.map((answer) => typeof answer === 'string' ? fromDetails(JSON.parse(answer)) : makeCommand(() => answer)))
  }

  /** Tells the intake that the rules were replaced. */
  replaceRules (rules) {
    handleOf(this, Intake).replaceRules(handle(rules, 'rules', Rules))
  }
}

/** In the form of the addon. A trusted player who is undefined is no reason to trust everybody. */
function messageOf (headers, rawBody, given) {
  const trusted = given.trusted === undefined ? false : flag(given.trusted, 'trusted')
  const named = Object.hasOwn(given, 'trustedPlayer')
  if (trusted && named) throw argumentError(TypeError, 'give trusted or trustedPlayer, not both')
  return {
    body: body(rawBody),
    headers: headerList(headers),
    address: given.address === undefined ? undefined : text(given.address, 'address'),
    trusted,
    trustedPlayer: named ? text(given.trustedPlayer, 'trustedPlayer') : undefined
  }
}

module.exports = { Intake }

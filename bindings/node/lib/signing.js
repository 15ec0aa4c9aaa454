'use strict'
// Secrets, keys, signing and verifying.

const { randomBytes } = require('node:crypto')
const { body, bytes, each, handle, instant, integer, list, now, options, pair, required, text, word, TIME } = require('./arguments.js')
const { argumentError, call, fromDetails, SignatureError } = require('./errors.js')
const { headerList } = require('./headers.js')
const { freeze, own, read } = require('./json.js')
const { handleOf, hold, native } = require('./native.js')

const SCHEMES = ['standard', 'legacyBody', 'legacyBodyTimestamp']
const KEY = ['id', 'secret', 'notBefore', 'notAfter', 'player']

/** A shared secret of 24 to 64 bytes. Never printed. What it was made from stays in JavaScript's memory: only the copy here is wiped. */
class Secret {
  constructor () {
    throw argumentError(TypeError, 'a Secret comes from Secret.parse, fromBytes, short or generate')
  }

  /** From `whsec_<base64>`. */
  static parse (whsec) {
    return make(() => native.Secret.parse(text(whsec, 'secret')))
  }

  /** From 24 to 64 bytes. */
  static fromBytes (secret) {
    return make(() => native.Secret.fromBytes(bytes(secret, 'secret')))
  }

  /** From 1 to 4096 bytes that are in use already and cannot be changed. A short secret can be guessed. */
  static short (secret) {
    return make(() => native.Secret.short(bytes(secret, 'secret')))
  }

  /** A new one from the system's random generator. */
  static generate () {
    const entropy = randomBytes(32)
    try {
      return Secret.fromBytes(entropy)
    } finally {
      entropy.fill(0)
    }
  }

  /** `whsec_<base64>`, to hand to the other side. */
  toWhsec () {
    return handleOf(this, Secret).toWhsec()
  }

  toJSON () {
    return 'Secret(..)'
  }
}

const make = (work) => hold(Object.create(Secret.prototype), call(work))

/** A new secret, as `whsec_<base64>`. */
const generateSecret = () => Secret.generate().toWhsec()

/** A secret given as a Secret or as `whsec_<base64>`. */
function secretOf (value) {
  if (value === undefined) throw new SignatureError('secret_invalid: a secret is missing', { code: 'secret_invalid', httpStatus: 500 })
  return typeof value === 'string' ? handleOf(Secret.parse(value), Secret) : handle(value, 'secret', Secret)
}

/** A ring of one secret, or of keys with names. */
function ringOf (value) {
  if (!Array.isArray(value)) return native.KeyRing.single(secretOf(value))
  const ring = native.KeyRing.named()
  for (const key of list(value, 'keys')) {
    const { id, secret, notBefore, notAfter, player } = required(key, KEY, 'a key')
    const from = notBefore === undefined ? undefined : instant(notBefore, 'notBefore')
    const until = notAfter === undefined ? undefined : instant(notAfter, 'notAfter')
    const bound = player === undefined ? undefined : text(player, 'player')
    call(() => ring.add(text(id, 'id'), secretOf(secret), from, until, bound))
  }
  return ring
}

const schemeOf = (value) => value === undefined ? 'standard' : word(value, 'scheme', SCHEMES)
const toleranceOf = (value) => value === undefined ? undefined : integer(value, 'toleranceSeconds', 0)

/** Tells whether messages come from someone who has a secret. */
class Verifier {
  constructor (secretOrKeys, opts) {
    const { scheme, toleranceSeconds, bodyBytesMax } = options(opts, ['scheme', 'toleranceSeconds', 'bodyBytesMax'])
    const settings = [schemeOf(scheme), toleranceOf(toleranceSeconds), bodyBytesMax === undefined ? undefined : integer(bodyBytesMax, 'bodyBytesMax', 0)]
    hold(this, call(() => new native.Verifier(ringOf(secretOrKeys), ...settings)))
  }

  /** Verifies the body as it was received: `{ messageId, keyId, player }`, or a SignatureError. */
  verify (headers, rawBody, opts) {
    const time = now(options(opts, TIME))
    return read(call(() => handleOf(this, Verifier).verify(headerList(headers), body(rawBody), time)))
  }

  /** Verifies many messages, each by itself: of each what was verified, or a SignatureError, which is not thrown. */
  verifyBatch (messages, opts) {
    const time = now(options(opts, TIME))
    const bodies = []
    const headers = each(messages, 'messages', (message) => {
      const [head, rawBody] = pair(message, 'each message must be a pair [headers, body]')
      bodies.push(body(rawBody))
      return headerList(head)
    })
    const told = JSON.parse(call(() => handleOf(this, Verifier).verifyBatch(headers, bodies, time)))
    return Object.freeze(told.map((each) => {
      const { verified, refused } = own(each)
      return refused === undefined ? freeze(verified) : fromDetails(refused)
    }))
  }
}

/** Signs messages. */
class Signer {
  constructor (secretOrKeys, opts) {
    const { scheme } = options(opts, ['scheme'])
    hold(this, call(() => new native.Signer(ringOf(secretOrKeys), schemeOf(scheme))))
  }

  /** The headers to send. */
  sign (id, rawBody, opts) {
    const time = now(options(opts, TIME))
    return read(call(() => handleOf(this, Signer).sign(text(id, 'id'), body(rawBody), time)))
  }
}

/** HMAC-SHA256 as 64 hex digits. */
const hmacSha256Hex = (secret, data) => native.hmacSha256Hex(bytes(secret, 'secret'), bytes(data, 'data'))

/** Whether a MAC is right, compared in constant time. */
function verifyHmacSha256Hex (secret, data, mac) {
  return native.verifyHmacSha256Hex(bytes(secret, 'secret'), bytes(data, 'data'), text(mac, 'mac'))
}

module.exports = {
  Secret, Signer, Verifier, generateSecret, hmacSha256Hex, verifyHmacSha256Hex, ringOf, schemeOf, toleranceOf
}

// Signing and verifying, without an intake.

import assert from 'node:assert/strict'
import crypto, { createHmac } from 'node:crypto'
import { createRequire } from 'node:module'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { Secret, SignatureError, Signer, Verifier, generateSecret, hmacSha256Hex, verifyHmacSha256Hex } from '../index.mjs'
import { NOW_MS, event } from './game.mjs'

const at = { nowMs: NOW_MS }
const secret = generateSecret()
const body = event('evt_1', 'ana', 120)
const signed = new Signer(secret).sign('evt_1', body, at)
const verified = (more) => ({ messageId: 'evt_1', keyId: null, player: null, ...more })
const throwsCode = (work, code) => assert.throws(work, (error) => {
  assert.ok(error instanceof SignatureError, error.stack)
  assert.deepEqual([error.name, error.code], ['SignatureError', code])
  return true
})

describe('verify', () => {
  test('what was signed', () => {
    const verifier = new Verifier(secret)
    const answer = verifier.verify(signed, body, at)
    assert.deepEqual(answer, verified())
    assert.ok(Object.isFrozen(answer))
    throwsCode(() => verifier.verify(signed, '{}', at), 'signature_mismatch')
    throwsCode(() => verifier.verify({}, body, at), 'missing_header')
    assert.deepEqual(new Verifier(Secret.parse(secret)).verify(new Signer(secret).sign('now', body), body), verified({ messageId: 'now' }), 'without a time it is the present')
  })

  test('within its tolerance, which it names', () => {
    const age = (seconds, options) => () => new Verifier(secret, options).verify(signed, body, { nowMs: NOW_MS + 1000 * seconds })
    for (const seconds of [-300, 300]) age(seconds)()
    throwsCode(age(301), 'timestamp_too_old')
    throwsCode(age(-301), 'timestamp_too_new')
    assert.throws(age(301), { message: /301 s.*300 s/ })
    age(0, { toleranceSeconds: 0 })()
    throwsCode(age(1, { toleranceSeconds: 0 }), 'timestamp_too_old')
    age(1e9, { toleranceSeconds: Number.MAX_SAFE_INTEGER })()
    for (const toleranceSeconds of [-1, 2 ** 53, 2n ** 64n]) assert.throws(() => new Verifier(secret, { toleranceSeconds }), { name: 'RangeError', code: 'out_of_range' })
  })

  test('bodies up to a length', () => {
    const sized = (bytes, bodyBytesMax) => () => {
      const long = Buffer.alloc(bytes, 'x')
      return new Verifier(secret, bodyBytesMax === undefined ? {} : { bodyBytesMax }).verify(new Signer(secret).sign('evt_1', long, at), long, at)
    }
    sized(65_536)()
    throwsCode(sized(65_537), 'too_large')
    sized(1_000_000, 1_000_000)()
    throwsCode(sized(11, 10), 'too_large')
    sized(0, 0)()
    throwsCode(sized(1, 0), 'too_large')
    sized(70_000, Number.MAX_SAFE_INTEGER)()
    for (const bodyBytesMax of [-1, 2 ** 53]) assert.throws(() => new Verifier(secret, { bodyBytesMax }), { code: 'out_of_range' })
    for (const bodyBytesMax of [NaN, '1', null]) assert.throws(() => new Verifier(secret, { bodyBytesMax }), { code: 'invalid_argument' })
  })

  test('keys with dates, ids and players', () => {
    const old = { id: 'old', secret: generateSecret(), notAfter: NOW_MS }
    const fresh = { id: 'fresh', secret: Secret.generate(), notBefore: new Date(NOW_MS - 1000), player: 'ana' }
    const ring = [old, fresh]
    const verifier = new Verifier(ring)
    const by = (keys, ms = NOW_MS) => verifier.verify(new Signer(keys).sign('evt_1', body, { nowMs: ms }), body, { nowMs: ms })
    assert.deepEqual(by(ring), verified({ keyId: 'fresh', player: 'ana' }))
    assert.deepEqual(by([old]), verified({ keyId: 'old' }))
    assert.deepEqual(by(ring, NOW_MS - 1001), verified({ keyId: 'old' }), 'before the other begins')
    assert.deepEqual(by(old.secret), verified({ keyId: 'old' }), 'without a name any that fits')
    throwsCode(() => by([{ ...old, notAfter: undefined }], NOW_MS + 1), 'unknown_key')
    throwsCode(() => by(old.secret, NOW_MS + 1), 'signature_mismatch')
    throwsCode(() => by([{ id: 'other', secret: old.secret }]), 'unknown_key')
    throwsCode(() => by([{ ...old, id: 'fresh' }]), 'signature_mismatch')
    throwsCode(() => new Signer([{ ...old, notAfter: NOW_MS - 1 }]).sign('evt_1', body, at), 'unknown_key')
    for (const bad of [[], [old, old]]) assert.throws(() => new Verifier(bad), (error) => error.code === 'invalid_argument')
    for (const bad of [[{ ...old, secret: undefined }], 'hunter2', undefined, `${secret} `]) throwsCode(() => new Verifier(bad), 'secret_invalid')
    for (const bad of [[null], [{ ...old, id: 7 }], [{ ...old, notAfter: '2026' }], [{ ...old, until: 1 }], 7, {}, null]) {
      assert.throws(() => new Verifier(bad), { name: 'TypeError', code: 'invalid_argument' })
    }
  })

  test('the legacy forms', () => {
    const short = Secret.short('secret123')
    for (const [scheme, names] of [['legacyBody', ['x-signature']], ['legacyBodyTimestamp', ['x-signature', 'x-timestamp']]]) {
      const headers = new Signer(short, { scheme }).sign('evt_1', body, at)
      assert.deepEqual(Object.keys(headers).sort(), names)
      const message = scheme === 'legacyBody' ? body : `${body}.${NOW_MS / 1000}`
      assert.equal(headers['x-signature'], createHmac('sha256', 'secret123').update(message).digest('hex'))
      assert.deepEqual(new Verifier(short, { scheme }).verify(headers, body, at), verified({ messageId: null }))
      throwsCode(() => new Verifier(short, { scheme }).verify(headers, `${body} `, at), 'signature_mismatch')
      throwsCode(() => new Verifier(short).verify(headers, body, at), 'missing_header')
    }
    for (const [scheme, name] of [['hmac', 'RangeError'], [1, 'TypeError'], [null, 'TypeError']]) assert.throws(() => new Verifier(short, { scheme }), { name, code: 'invalid_argument' })
  })
})

describe('verifyBatch', () => {
  const verifier = new Verifier(secret)

  test('answers for each, in order', () => {
    const answers = verifier.verifyBatch([[signed, body], [signed, '{}'], [new Headers(signed), Buffer.from(body)], [{}, body], [new Map(Object.entries(signed)), new TextEncoder().encode(body).buffer]], at)
    assert.deepEqual(answers.map((answer) => answer instanceof SignatureError ? answer.code : answer), [verified(), 'signature_mismatch', verified(), 'missing_header', verified()])
    assert.ok(answers[1].message.startsWith('signature_mismatch: '))
    assert.ok(Object.isFrozen(answers) && Object.isFrozen(answers[0]))
    assert.deepEqual(verifier.verifyBatch([], at), [])
    assert.equal(verifier.verifyBatch([[new Signer(secret).sign('now', body), body]])[0].messageId, 'now', 'without a time it is the present')
  })

  test('as each would be alone', () => {
    const messages = Array.from({ length: 500 }, (_, n) => {
      const sent = event(`e${n}`, 'ana', n)
      const headers = new Signer(n % 3 === 0 ? generateSecret() : secret).sign(`e${n}`, sent, { nowMs: NOW_MS + (n % 7 - 3) * 150_000 })
      return [headers, n % 5 === 0 ? `${sent} ` : Buffer.from(sent)]
    })
    const alone = messages.map(([headers, sent]) => {
      try {
        return verifier.verify(headers, sent, at)
      } catch ({ code, message }) {
        return { code, message }
      }
    })
    const together = verifier.verifyBatch(messages, at).map((answer) => answer instanceof SignatureError ? { code: answer.code, message: answer.message } : answer)
    assert.deepEqual(together, alone)
    assert.deepEqual(new Set(together.map(({ code }) => code)), new Set([undefined, 'signature_mismatch', 'timestamp_too_old', 'timestamp_too_new']))
  })

  test('what is no message is told by its place', () => {
    const good = [signed, body]
    for (const [messages, index] of [[[good, good, [signed]], 2], [[good, [signed, { a: 1 }]], 1], [[[null, body]], 0], [[good, undefined], 1], [[good, , good], 1], [[good, [{ 'webhook-id': 7 }, body]], 1]]) {
      assert.throws(() => verifier.verifyBatch(messages, at), (error) => error instanceof TypeError && error.code === 'invalid_argument' && error.index === index)
    }
    for (const no of [undefined, null, {}, 'ab', new Set([good])]) assert.throws(() => verifier.verifyBatch(no, at), (error) => error instanceof TypeError && error.index === undefined)
  })
})

describe('secrets', () => {
  test('HMAC of texts and bytes', () => {
    const mac = hmacSha256Hex('secret123', 'hello world')
    assert.ok(mac.startsWith('57938295') && mac.endsWith('42646'))
    assert.equal(hmacSha256Hex(Buffer.from('secret123'), Buffer.from('hello world')), mac)
    assert.ok(verifyHmacSha256Hex('secret123', 'hello world', mac) && !verifyHmacSha256Hex('secret123', 'hello', mac))
    for (const no of ['', mac.slice(1), `${mac}0`, mac.replace(/./, 'x')]) assert.equal(verifyHmacSha256Hex('secret123', 'hello world', no), false)
  })

  test('are not shown', () => {
    assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
    assert.notEqual(generateSecret(), secret)
    const shown = Secret.parse(secret)
    assert.equal(shown.toWhsec(), secret)
    const holders = [shown, new Verifier(secret), new Signer([{ id: 'k', secret }])]
    for (const holder of holders) {
      for (const text of [inspect(holder, { showHidden: true, depth: 9 }), JSON.stringify(holder), String(holder)]) assert.ok(!text.includes(secret.slice(6, 20)), text)
    }
  })

  test('have a length', () => {
    for (const length of [24, 64]) assert.equal(Secret.parse(Secret.fromBytes(Buffer.alloc(length, 1)).toWhsec()).toWhsec().length, 6 + 4 * Math.ceil(length / 3))
    for (const length of [0, 23, 65]) throwsCode(() => Secret.fromBytes(Buffer.alloc(length)), 'secret_invalid')
    for (const length of [1, 4096]) Secret.short(Buffer.alloc(length))
    for (const length of [0, 4097]) throwsCode(() => Secret.short(Buffer.alloc(length)), 'secret_invalid')
  })

  test('that are new leave no copy of their bytes', (t) => {
    const require = createRequire(import.meta.url)
    const file = require.resolve('../lib/signing.js')
    const drawn = []
    t.mock.method(crypto, 'randomBytes', (length) => {
      drawn.push(Buffer.alloc(length, 7))
      return drawn.at(-1)
    })
    delete require.cache[file]
    const whsec = require(file).generateSecret()
    assert.equal(whsec, Secret.fromBytes(Buffer.alloc(32, 7)).toWhsec())
    assert.deepEqual(drawn, [Buffer.alloc(32)])
  })

  test('a copy was taken', () => {
    const bytes = Buffer.alloc(32, 7)
    const given = Secret.fromBytes(bytes)
    bytes.fill(0)
    assert.equal(given.toWhsec(), Secret.fromBytes(Buffer.alloc(32, 7)).toWhsec())
  })
})

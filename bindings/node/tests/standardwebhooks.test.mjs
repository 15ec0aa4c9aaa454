// Beside the official package of Standard Webhooks: what it signs verifies here, what we sign verifies there, and what it
// takes that the standard does not mean is refused here.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Webhook, WebhookVerificationError } from 'standardwebhooks'
import { Secret, SignatureError, Signer, Verifier, generateSecret } from '../index.mjs'
import { NOW_MS } from './game.mjs'
import { seeded } from './random.mjs'

const ROUNDS = 300
const SECONDS_MAX = 999_999_999_999
const ID = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-'
const CHARACTERS = ['a', 'Z', '0', '.', ',', ' ', '"', '{', '}', '\\', '\n', '\r', '\0', '\u007f', 'é', 'ß', '雪', '\ufeff', '\ufffd', '🐉', '\u2028']

/** Theirs asks the clock. */
function theirVerify (t, webhook, headers, payload, nowMs) {
  const clock = t.mock.method(Date, 'now', () => nowMs)
  try {
    webhook.verify(payload, headers, { jsonParse: false })
  } finally {
    clock.mock.restore()
  }
}

const theirSign = (webhook, id, payload, nowMs) => ({
  'webhook-id': id,
  'webhook-timestamp': String(Math.floor(nowMs / 1000)),
  'webhook-signature': webhook.sign(id, new Date(nowMs), payload)
})

/** Any message: an id, a body as text or Buffer, a time with milliseconds, a secret in both forms. */
function message (random) {
  const key = random.bytes(24 + random.below(41))
  const secret = Secret.fromBytes(key)
  const text = random.text(random.pick([0, 1, 30, 2000]), CHARACTERS)
  return {
    secret: random.pick([secret, secret.toWhsec()]),
    webhook: random.pick([() => new Webhook(secret.toWhsec()), () => new Webhook(key, { format: 'raw' })])(),
    id: random.text(1 + random.below(64), ID),
    body: random.pick([text, Buffer.from(text)]),
    nowMs: 1000 * (1 + random.below(random.pick([2, 10_000_000_000, SECONDS_MAX]))) + random.below(1000)
  }
}

describe('both ways', () => {
  test('theirs verifies here', (t) => {
    const random = seeded(t)
    for (let round = 0; round < ROUNDS; round++) {
      const { secret, webhook, id, body, nowMs } = message(random)
      const received = nowMs + 1000 * (random.below(601) - 300)
      const headers = theirSign(webhook, id, body, nowMs)
      assert.deepEqual(new Verifier(secret).verify(headers, body, { nowMs: received }), { messageId: id, keyId: null, player: null })
    }
  })

  test('ours verifies there', (t) => {
    const random = seeded(t)
    for (let round = 0; round < ROUNDS; round++) {
      const { secret, webhook, id, body, nowMs } = message(random)
      const received = nowMs + 1000 * (random.below(601) - 300)
      theirVerify(t, webhook, new Signer(secret).sign(id, body, { nowMs }), body, received)
    }
  })

  test('both write the same headers', (t) => {
    const random = seeded(t)
    for (let round = 0; round < ROUNDS; round++) {
      const { secret, webhook, id, body, nowMs } = message(random)
      assert.deepEqual(new Signer(secret).sign(id, body, { nowMs }), theirSign(webhook, id, body, nowMs))
    }
  })

  test('both refuse what was changed on the way', (t) => {
    const random = seeded(t)
    for (let round = 0; round < ROUNDS; round++) {
      const { secret, webhook, id, body, nowMs } = message(random)
      const headers = new Signer(secret).sign(id, body, { nowMs })
      const [changed, sent, code] = random.pick([
        [{ 'webhook-id': id.length < 64 ? `${id}x` : id.slice(1) }, body, 'signature_mismatch'],
        [{ 'webhook-timestamp': String(Math.floor(nowMs / 1000) + 1) }, body, 'signature_mismatch'],
        [{}, `${body}x`, 'signature_mismatch'],
        [{ 'webhook-signature': webhook.sign(id, new Date(nowMs), `${body}x`) }, body, 'signature_mismatch'],
        [{ 'webhook-signature': undefined }, body, 'missing_header'],
        [{ 'webhook-id': undefined }, body, 'missing_header'],
        [{ 'webhook-timestamp': 'soon' }, body, 'malformed_header']
      ])
      const bad = { ...headers, ...changed }
      assert.throws(() => new Verifier(secret).verify(bad, sent, { nowMs }), { code })
      assert.throws(() => theirVerify(t, webhook, bad, sent, nowMs), WebhookVerificationError)
    }
    const { secret, webhook, id, body, nowMs } = message(random)
    const headers = theirSign(webhook, id, body, nowMs)
    for (const [seconds, code] of [[301, 'timestamp_too_old'], [-301, 'timestamp_too_new']]) {
      const received = nowMs + 1000 * seconds
      assert.throws(() => new Verifier(secret).verify(headers, body, { nowMs: received }), { code })
      assert.throws(() => theirVerify(t, webhook, headers, body, received), WebhookVerificationError)
    }
  })

  test('while a secret is changed, with a signature by each', (t) => {
    const [old, fresh, other] = [generateSecret(), generateSecret(), generateSecret()]
    const [id, body, nowMs] = ['evt_1', '{"a":1}', NOW_MS]
    const both = (one, two) => ({ ...one, 'webhook-signature': `${one['webhook-signature']} ${two['webhook-signature']}` })
    const ours = both(...[old, fresh].map((secret) => new Signer(secret).sign(id, body, { nowMs })))
    const theirs = both(...[old, fresh].map((secret) => theirSign(new Webhook(secret), id, body, nowMs)))
    for (const secret of [old, fresh]) {
      theirVerify(t, new Webhook(secret), ours, body, nowMs)
      new Verifier(secret).verify(theirs, body, { nowMs })
    }
    assert.throws(() => theirVerify(t, new Webhook(other), ours, body, nowMs), WebhookVerificationError)
    assert.throws(() => new Verifier(other).verify(theirs, body, { nowMs }), { code: 'signature_mismatch' })

    // A ring takes theirs by any key that is valid at the time, and no longer.
    const ring = [{ id: 'old', secret: old, notAfter: nowMs }, { id: 'fresh', secret: fresh, notBefore: nowMs }]
    const alone = (secret, at) => new Verifier(ring).verify(theirSign(new Webhook(secret), id, body, at), body, { nowMs: at }).keyId
    assert.deepEqual([alone(old, nowMs), alone(fresh, nowMs), alone(old, nowMs - 1), alone(fresh, nowMs + 1)], ['old', 'fresh', 'old', 'fresh'])
    assert.throws(() => alone(old, nowMs + 1), { code: 'signature_mismatch' })
    assert.throws(() => alone(fresh, nowMs - 1), { code: 'signature_mismatch' })
    const signed = new Signer(ring).sign(id, body, { nowMs })
    assert.equal(signed['webhook-key-id'], 'fresh')
    theirVerify(t, new Webhook(fresh), signed, body, nowMs)
  })
})

// Each of these is taken by 1.1.1 of theirs.
describe('theirs takes, ours refuses', () => {
  const secret = generateSecret()
  const webhook = new Webhook(secret)
  const [id, body, nowMs] = ['evt_1', '{"a":1}', NOW_MS]
  const seconds = nowMs / 1000
  const good = theirSign(webhook, id, body, nowMs)
  const signature = good['webhook-signature']
  const cases = [
    ['the same signature for a piece of the body, with the rest of it as part of the id', () => {
      const later = seconds + 60
      const signed = theirSign(webhook, id, `${later}.${body}`, nowMs)
      return { headers: { ...signed, 'webhook-id': `${id}.${seconds}`, 'webhook-timestamp': String(later) } }
    }],
    ['a time with something behind it', () => ({ headers: { ...good, 'webhook-timestamp': `${seconds} or so` } })],
    ['a time with a fraction', () => ({ headers: { ...good, 'webhook-timestamp': `${seconds}.999` } })],
    ['a time with a sign', () => ({ headers: { ...good, 'webhook-timestamp': `+${seconds}` } })],
    ['a time with a zero before it', () => ({ headers: { ...good, 'webhook-timestamp': `0${seconds}` } })],
    ['a time with a space before it', () => ({ headers: { ...good, 'webhook-timestamp': ` ${seconds}` } })],
    ['an id of other characters', () => ({ headers: theirSign(webhook, 'evt 1\r\nx', body, nowMs) })],
    ['an id as long as one likes', () => ({ headers: theirSign(webhook, 'x'.repeat(65), body, nowMs) })],
    ['a signature with a comma behind it', () => ({ headers: { ...good, 'webhook-signature': `${signature},x` } })],
    ['spaces around a signature', () => ({ headers: { ...good, 'webhook-signature': ` ${signature}  ` } })],
    ['something that is no signature beside one', () => ({ headers: { ...good, 'webhook-signature': `x ${signature}` } })],
    ['a signature behind a hundred others', () => ({ headers: { ...good, 'webhook-signature': `${`v1,${'A'.repeat(43)}= `.repeat(100)}${signature}` } })],
    ['one header under two spellings', () => ({ headers: { 'Webhook-Id': 'another', ...good } })],
    ['another body, if both are no UTF-8', () => {
      const signed = theirSign(webhook, id, Buffer.from([0x22, 0xff, 0x22]), nowMs)
      return { headers: signed, body: Buffer.from([0x22, 0xfe, 0x22]), code: 'signature_mismatch' }
    }],
    ['a body beyond all limits', () => {
      const long = 'x'.repeat(65_537)
      return { headers: theirSign(webhook, id, long, nowMs), body: long, code: 'too_large' }
    }]
  ]
  for (const [name, make] of cases) {
    test(name, (t) => {
      const { headers, body: sent = body, code = 'malformed_header' } = make()
      theirVerify(t, webhook, headers, sent, nowMs)
      assert.throws(() => new Verifier(secret).verify(headers, sent, { nowMs }), (error) => error instanceof SignatureError && error.code === code)
    })
  }

  test('secrets that are short, or written in other ways', () => {
    const bytes = Buffer.alloc(25, 7)
    const written = `whsec_${bytes.toString('base64')}`
    assert.equal(Secret.parse(written).toWhsec(), written)
    const sign = (text) => new Webhook(text).sign(id, new Date(nowMs), body)
    for (const same of [written.slice(6), written.replace(/=+$/, ''), written.replace('w==', 'x==')]) {
      assert.notEqual(same, written)
      assert.equal(sign(same), sign(written), 'the same key to them')
      assert.throws(() => Secret.parse(same), { code: 'secret_invalid' })
    }
    assert.ok(sign(`whsec_${Buffer.from('secret').toString('base64')}`))
    assert.throws(() => Secret.fromBytes(Buffer.from('secret')), { code: 'secret_invalid' })
  })
})

// Their comparison is of texts, so here both agree.
test('a signature has one form', (t) => {
  const secret = generateSecret()
  const signed = new Signer(secret).sign('evt_1', '', { nowMs: NOW_MS })
  const given = signed['webhook-signature']
  const last = given.at(-2)
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  // The two bits behind the last byte.
  const loose = `${given.slice(0, -2)}${alphabet[alphabet.indexOf(last) + 1]}=`
  for (const other of [given.replace(/=$/, ''), `${given}=`, loose, given.toUpperCase().replace('V1', 'v1')]) {
    const headers = { ...signed, 'webhook-signature': other }
    assert.throws(() => theirVerify(t, new Webhook(secret), headers, '', NOW_MS), WebhookVerificationError)
    assert.throws(() => new Verifier(secret).verify(headers, '', { nowMs: NOW_MS }), SignatureError)
  }
})

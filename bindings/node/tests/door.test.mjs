import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import {
  Engine, Intake, LiveopsError, RateLimiter, Refusal, Secret, SignatureError, Signer, ValidationError, Verifier, generateSecret,
  hmacSha256Hex, validate, verifyHmacSha256Hex
} from '../index.mjs'
import { NOW_MS, event, rules } from './game.mjs'

const at = { nowMs: NOW_MS }
const secret = generateSecret()
const body = event('evt_1', 'ana', 120)
const signed = new Signer(secret).sign('evt_1', body, at)
const codeOf = (work) => {
  try {
    work()
  } catch (error) {
    return error.code
  }
  return assert.fail('nothing was thrown')
}

describe('admit', () => {
  const admit = (headers, content = body, options = at) => new Intake(rules(), { secret }).admit(headers, content, options)

  test('headers in every form that servers have', () => {
    const pairs = Object.entries(signed)
    const upper = Object.fromEntries(pairs.map(([name, value]) => [name.toUpperCase(), value]))
    const lists = Object.fromEntries(pairs.map(([name, value]) => [name, [value]]))
    const forms = [signed, upper, lists, new Headers(signed), new Map(pairs), pairs, pairs.values(), Object.assign(Object.create(null), signed)]
    for (const headers of forms) assert.equal(admit(headers).id, 'evt_1')
    assert.equal(admit({ ...signed, 'idempotency-key': undefined, host: 'x', cookie: ['a', 'b'] }).playerId, 'ana')
  })

  test('a header that came twice is seen as such', () => {
    const twice = [...Object.entries(signed), ['Webhook-Id', 'evt_1']]
    for (const headers of [{ ...signed, 'webhook-id': ['evt_1', 'evt_1'] }, twice, { ...signed, 'WEBHOOK-ID': 'evt_1' }, { ...signed, 'webhook-id': 'evt_1, evt_1' }]) {
      assert.equal(codeOf(() => admit(headers)), 'malformed_header')
    }
  })

  test('bodies as they came in', () => {
    for (const content of [body, Buffer.from(body), new Uint8Array(Buffer.from(body))]) assert.equal(admit(signed, content).id, 'evt_1')
    for (const no of [JSON.parse(body), undefined, null, new ArrayBuffer(3), [1]]) {
      assert.throws(() => new Intake(rules(), { secret }).admit(signed, no, at), { name: 'TypeError', code: 'invalid_argument' })
    }
  })

  test('what is no headers at all', () => {
    for (const no of [undefined, null, 'a: b', ['webhook-id', 'evt_1'], [['webhook-id']], { 'webhook-id': 1 }, { 'webhook-id': null }]) {
      assert.throws(() => admit(no), { name: 'TypeError', code: 'invalid_argument' })
    }
  })

  test('a refusal has all that an answer needs', () => {
    assert.throws(() => admit({}), (error) => {
      assert.ok(error instanceof Refusal && error instanceof LiveopsError && error instanceof Error)
      assert.deepEqual([error.name, error.code, error.httpStatus, error.issues, error.retryAfter], ['Refusal', 'missing_header', 401, [], null])
      assert.deepEqual([error.problem().type, error.problem().status], ['urn:liveops:error:missing_header', 401])
      assert.deepEqual(error.headers(), { 'Content-Type': 'application/problem+json' })
      return true
    })
    const bad = event('evt_1', 'ana', 1.5)
    assert.throws(() => admit(new Signer(secret).sign('evt_1', bad, at), bad), (error) => {
      assert.deepEqual([error.httpStatus, error.issues.map(({ code, path }) => [code, path])], [400, [['not_integer', '/payload/deltaXp']]])
      return true
    })
    assert.equal(codeOf(() => admit(signed, body, { nowMs: NOW_MS + 301_000 })), 'timestamp_too_old')
    assert.equal(codeOf(() => admit({ ...signed, 'idempotency-key': 'other' })), 'event_id_mismatch')
  })

  test('quotas by player and by address', () => {
    const intake = new Intake(rules(), { trusted: true })
    const send = (player, options) => intake.admit({}, event('e', player, 1), { ...at, ...options })
    for (let n = 0; n < 3; n++) send('ana')
    assert.throws(() => send('ana'), (error) => {
      assert.deepEqual([error.code, error.httpStatus, error.retryAfter], ['rate_limited', 429, 1])
      assert.deepEqual(error.headers()['Retry-After'], '1')
      return true
    })
    for (const player of ['bo', 'cy']) send(player, { address: '192.0.2.1' })
    assert.equal(codeOf(() => send('dee', { address: '192.0.2.1' })), 'rate_limited')
    const free = new Intake(rules(), { trusted: true, quotas: false })
    for (let n = 0; n < 9; n++) free.admit({}, event('e', 'ana', 1), at)
  })

  test('a limiter can be shared by several intakes', () => {
    const quotas = new RateLimiter({ limit: 1, periodSeconds: 1 })
    const [one, other] = [new Intake(rules(), { trusted: true, quotas }), new Intake(rules(), { trusted: true, quotas })]
    for (let n = 0; n < 3; n++) one.admit({}, event('e', 'ana', 1), at)
    assert.equal(codeOf(() => other.admit({}, event('e', 'ana', 1), at)), 'rate_limited')
  })

  test('keys with names, dates and players', () => {
    const old = { id: 'old', secret: Secret.generate(), notAfter: NOW_MS - 1 }
    const bo = { id: 'bo', secret: generateSecret(), notBefore: new Date(NOW_MS - 9), player: 'bo' }
    const intake = new Intake(rules(), { keys: [old, bo] })
    const send = (key) => intake.admit(new Signer([key]).sign('evt_1', body, at), body, at)
    assert.equal(codeOf(() => send(bo)), 'key_player_mismatch')
    assert.equal(codeOf(() => intake.admit(new Signer(old.secret).sign('evt_1', body, at), body, at)), 'signature_mismatch')
    assert.equal(codeOf(() => new Signer([old]).sign('evt_1', body, at)), 'unknown_key')
    assert.equal(codeOf(() => new Signer([])), 'invalid_argument')
  })

  test('legacy signatures need the id in the body', () => {
    const options = { secret: Secret.short('secret123'), scheme: 'legacyBody' }
    const unnamed = JSON.stringify({ type: 'progression', playerId: 'ana', ts: NOW_MS / 1000, payload: { deltaXp: 1 } })
    const headers = { 'X-Signature': hmacSha256Hex('secret123', unnamed), 'Idempotency-Key': 'evt_1' }
    assert.equal(codeOf(() => new Intake(rules(), options).admit(headers, unnamed, at)), 'missing_event_id')
    assert.equal(new Intake(rules(), { ...options, allowUnsignedId: true }).admit(headers, unnamed, at).id, 'evt_1')
  })

  test('how an intake is set up', () => {
    assert.throws(() => new Intake(rules()), (error) => error instanceof SignatureError && error.code === 'secret_invalid')
    assert.throws(() => new Intake(rules(), { secret: undefined }), { code: 'secret_invalid' })
    assert.throws(() => new Intake(rules(), { secret: 'hunter2' }), { code: 'secret_invalid' })
    for (const options of [{ secret, keys: [] }, { keys: {} }, { secret: 7 }, { secret, trusted: 'yes' }, { secret, quotas: {} }, { secret, sceme: 'standard' }]) {
      assert.throws(() => new Intake(rules(), options), { name: 'TypeError', code: 'invalid_argument' })
    }
    assert.throws(() => new Intake({}, { secret }), { name: 'TypeError', code: 'invalid_argument' })
    const intake = new Intake(rules(), { trusted: true })
    intake.replaceRules(rules({ limits: { maxPastSeconds: 1 } }))
    assert.equal(codeOf(() => intake.admit({}, event('e', 'ana', 1), { nowMs: NOW_MS + 2000 })), 'too_old')
  })

  test('what is admitted goes into an engine', () => {
    const effect = new Engine(rules()).submit(admit(signed)).unwrap()
    assert.equal(effect.xp.granted, 120)
  })
})

describe('signing alone', () => {
  test('verify', () => {
    const verifier = new Verifier(secret)
    assert.deepEqual(verifier.verify(signed, body, at), { messageId: 'evt_1', keyId: null, player: null })
    assert.throws(() => verifier.verify(signed, '{}', at), (error) => error instanceof SignatureError && error.code === 'signature_mismatch')
    assert.throws(() => new Verifier(secret, { toleranceSeconds: -1 }), RangeError)
    assert.equal(new Verifier([{ id: 'k1', secret }]).verify(signed, body, at).keyId, 'k1')
  })

  test('HMAC of texts and bytes', () => {
    const mac = hmacSha256Hex('secret123', 'hello world')
    assert.ok(mac.startsWith('57938295') && mac.endsWith('42646'))
    assert.equal(hmacSha256Hex(Buffer.from('secret123'), Buffer.from('hello world')), mac)
    assert.ok(verifyHmacSha256Hex('secret123', 'hello world', mac) && !verifyHmacSha256Hex('secret123', 'hello', mac))
  })

  test('secrets are not shown', () => {
    assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
    assert.notEqual(generateSecret(), secret)
    const shown = Secret.parse(secret)
    assert.equal(shown.toWhsec(), secret)
    for (const text of [inspect(shown, { showHidden: true, depth: 9 }), JSON.stringify(shown), String(shown)]) assert.ok(!text.includes(secret.slice(6, 20)), text)
  })
})

describe('validate', () => {
  test('an event, or every issue', () => {
    assert.deepEqual(validate(body, at), { id: 'evt_1', type: 'progression', playerId: 'ana', ts: NOW_MS / 1000, payload: { deltaXp: 120 } })
    assert.throws(() => validate('{"type":"progression"}', at), (error) => {
      assert.ok(error instanceof ValidationError)
      assert.deepEqual([error.code, error.issues.map(({ path }) => path)], ['missing', ['/playerId', '/ts', '/payload']])
      return true
    })
    assert.throws(() => validate('{"type":"progression"}', { ...at, firstIssue: true }), (error) => error.issues.length === 1)
    const strict = rules({ events: { progression: { fields: { deltaXp: { max: 100 } } } } })
    assert.equal(codeOf(() => validate(body, { ...at, rules: strict })), 'out_of_range')
  })
})

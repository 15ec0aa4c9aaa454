import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  Command, Engine, Intake, LiveopsError, RateLimiter, Refusal, Secret, SignatureError, Signer, generateSecret, hmacSha256Hex
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
    for (const content of [body, Buffer.from(body), new Uint8Array(Buffer.from(body)), new TextEncoder().encode(body).buffer]) assert.equal(admit(signed, content).id, 'evt_1')
    for (const no of [JSON.parse(body), undefined, null, new Uint16Array(3), new DataView(new ArrayBuffer(3)), new SharedArrayBuffer(3), [1], 1n]) {
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

  test('processes share quotas', () => {
    for (let process = 0; process < 3; process++) {
      const intake = new Intake(rules(), { trusted: true, quotaShare: 3 })
      intake.admit({}, event('e', 'ana', 1), at)
      assert.throws(() => intake.admit({}, event('e', 'ana', 1), at), { code: 'rate_limited', retryAfter: 3 })
    }
    for (const quotaShare of [0, -1, 2 ** 32]) assert.throws(() => new Intake(rules(), { trusted: true, quotaShare }), { name: 'RangeError', code: 'out_of_range' })
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
    for (const options of [{ secret, keys: [] }, { keys: {} }, { secret: 7 }, { secret, trusted: 'yes' }, { secret, trusted: true }, { keys: [], trusted: true }, { secret, quotas: {} }, { secret, sceme: 'standard' }]) {
      assert.throws(() => new Intake(rules(), options), { name: 'TypeError', code: 'invalid_argument' })
    }
    assert.throws(() => new Intake({}, { secret }), { name: 'TypeError', code: 'invalid_argument' })
    const intake = new Intake(rules(), { trusted: true })
    intake.replaceRules(rules({ limits: { maxPastSeconds: 1 } }))
    assert.equal(codeOf(() => intake.admit({}, event('e', 'ana', 1), { nowMs: NOW_MS + 2000 })), 'too_old')
  })

  test('what was used of a quota outlives replaced rules', () => {
    const daily = (limit) => rules({ door: { quotas: [{ per: 'player', limit, periodSeconds: 86_400 }] } })
    for (const [limit, more] of [[10, 0], [1001, 1]]) {
      const intake = new Intake(daily(1000), { trusted: true })
      const request = { headers: {}, body: event('e', 'ana', 1) }
      const letIn = (events) => intake.admitBatch(Array(events).fill(request), { nowMs: NOW_MS }).filter((answer) => answer instanceof Command).length
      assert.equal(letIn(1001), 1000)
      intake.replaceRules(daily(limit))
      assert.equal(letIn(20), more)
    }
  })

  test('what is admitted goes into an engine', () => {
    const effect = new Engine(rules()).submit(admit(signed)).unwrap()
    assert.equal(effect.xp.granted, 120)
  })
})

describe('a sender whom the caller trusts', () => {
  const intake = new Intake(rules(), { secret, quotas: false })
  const unnamed = event(undefined, 'ana', 120)

  test('needs no signature, and speaks for one player', () => {
    assert.equal(intake.admit({}, body, { ...at, trustedPlayer: 'ana' }).playerId, 'ana')
    assert.equal(codeOf(() => intake.admit({}, body, { ...at, trustedPlayer: 'bo' })), 'key_player_mismatch')
    assert.equal(codeOf(() => intake.admit(signed, body, { ...at, trustedPlayer: 'bo' })), 'key_player_mismatch', 'also with a signature')
    assert.equal(codeOf(() => intake.admit({}, body, at)), 'missing_header')
    const open = new Intake(rules(), { trusted: true })
    assert.equal(codeOf(() => open.admit({}, body, { ...at, trustedPlayer: 'bo' })), 'key_player_mismatch')
  })

  test('speaks for all players if the caller says so', () => {
    for (const player of ['ana', 'bo']) assert.equal(intake.admit({}, event('e', player, 1), { ...at, trusted: true }).playerId, player)
    assert.equal(intake.admitBatch([{ headers: {}, body, trusted: true }], at)[0].id, 'evt_1')
    assert.equal(codeOf(() => intake.admit({}, body, { ...at, trusted: false })), 'missing_header')
    for (const sender of [{ trusted: 1 }, { trusted: null }, { trusted: true, trustedPlayer: 'ana' }, { trusted: true, trustedPlayer: undefined }]) {
      assert.throws(() => intake.admit({}, body, { ...at, ...sender }), { name: 'TypeError', code: 'invalid_argument' })
    }
  })

  test('names the event in a header or the body', () => {
    const session = { ...at, trustedPlayer: 'ana' }
    for (const name of ['idempotency-key', 'webhook-id']) assert.equal(intake.admit({ [name]: 'evt_9' }, unnamed, session).id, 'evt_9')
    assert.equal(codeOf(() => intake.admit({}, unnamed, session)), 'missing_event_id')
    assert.equal(codeOf(() => intake.admit({ 'idempotency-key': 'evt_9' }, body, session)), 'event_id_mismatch')
  })

  test('is checked in all else', () => {
    const door = { quotas: [{ per: 'player', limit: 1, periodSeconds: 60 }] }
    const strict = new Intake(rules({ door }), { secret })
    const session = { ...at, trustedPlayer: 'ana' }
    strict.admit({}, body, session)
    assert.equal(codeOf(() => strict.admit({}, body, session)), 'rate_limited')
    assert.equal(codeOf(() => intake.admit({}, '{', session)), 'syntax')
    assert.equal(codeOf(() => intake.admit({}, body, { ...session, nowMs: NOW_MS + 90_000_000 })), 'too_old')
  })

  // `trustedPlayer: session?.player` must not open the door to whoever has no session.
  test('is named, or nobody is trusted', () => {
    for (const trustedPlayer of [undefined, null, true, 7, {}, ['ana'], '\ud800']) {
      assert.throws(() => intake.admit({}, body, { ...at, trustedPlayer }), { name: 'TypeError', code: 'invalid_argument' })
      assert.throws(() => intake.admitBatch([{ headers: {}, body, trustedPlayer }], at), { name: 'TypeError', code: 'invalid_argument', index: 0 })
    }
    assert.throws(() => intake.admit({}, body, { ...at, trustedPlayer: 'a b' }), { name: 'LiveopsError', code: 'id_invalid' })
    assert.throws(() => intake.admitBatch([{ headers: signed, body }, { headers: {}, body, trustedPlayer: '' }], at), { code: 'id_invalid', index: 1 })
  })
})

describe('admitBatch', () => {
  const free = () => new Intake(rules(), { secret, quotas: false })

  test('answers for each, in order', () => {
    const requests = [
      { headers: signed, body },
      { headers: {}, body },
      { headers: {}, body: Buffer.from(body), trustedPlayer: 'ana' },
      { headers: {}, body, trustedPlayer: 'bo' },
      { headers: new Signer(secret).sign('evt_2', '{', at), body: '{' },
      { headers: signed, body, address: undefined }
    ]
    const answers = free().admitBatch(requests, at)
    assert.ok(Object.isFrozen(answers))
    assert.deepEqual(answers.map((answer) => answer instanceof Command ? answer.id : [answer.name, answer.code, answer.httpStatus]), [
      'evt_1', ['Refusal', 'missing_header', 401], 'evt_1', ['Refusal', 'key_player_mismatch', 401], ['Refusal', 'syntax', 400], 'evt_1'
    ])
    assert.deepEqual([answers[4].issues[0].offset, answers[4].problem().status], [0, 400])
    const engine = new Engine(rules())
    const outcomes = engine.submitBatch(answers.filter((answer) => answer instanceof Command))
    assert.deepEqual(outcomes.counts(), { applied: 1, replayed: 2 })
    assert.deepEqual(free().admitBatch([], at), [])
    const now = event('e', 'ana', 1, { ts: Math.floor(Date.now() / 1000) })
    assert.equal(free().admitBatch([{ headers: {}, body: now, trustedPlayer: 'ana' }])[0].playerId, 'ana', 'without a time it is the present')
  })

  test('as each would be alone, quotas included', () => {
    const requests = Array.from({ length: 60 }, (_, n) => {
      const sent = event(`e${n}`, `p${n % 4}`, n % 11 === 0 ? -1 : n)
      const headers = new Signer(n % 7 === 0 ? generateSecret() : secret).sign(`e${n}`, sent, at)
      return { headers, body: sent, ...(n % 2 === 0 ? { address: `10.0.0.${n % 6}` } : {}) }
    })
    const told = (answer) => answer instanceof Command ? answer.toJSON() : { code: answer.code, message: answer.message, issues: answer.issues, headers: answer.headers() }
    const one = new Intake(rules(), { secret })
    const alone = requests.map(({ headers, body, address }) => {
      try {
        return told(one.admit(headers, body, { ...at, address }))
      } catch (error) {
        return told(error)
      }
    })
    const together = new Intake(rules(), { secret }).admitBatch(requests, at).map(told)
    assert.deepEqual(together, alone)
    for (const code of [undefined, 'rate_limited', 'signature_mismatch', 'out_of_range']) assert.ok(together.some((answer) => answer.code === code), code)
  })

  test('what is no request is told by its place, and nothing is charged', () => {
    const intake = new Intake(rules(), { trusted: true })
    const good = { headers: {}, body }
    for (const bad of [undefined, null, 7, [{}, body], { headers: {} }, { body }, { headers: {}, body: {} }, { headers: { 'webhook-id': 1 }, body }, { ...good, address: 7 }, { ...good, nowMs: 1 }, { ...good, player: 'ana' }]) {
      assert.throws(() => intake.admitBatch([good, good, bad], at), (error) => error instanceof TypeError && error.code === 'invalid_argument' && error.index === 2)
    }
    for (const no of [undefined, {}, 'ab', good]) assert.throws(() => intake.admitBatch(no, at), { name: 'TypeError', code: 'invalid_argument' })
    assert.equal(intake.admitBatch([good, good, good], at).filter((answer) => answer instanceof Command).length, 3, 'as many as the quota has')
  })
})

test('an intake says every issue, or the first', () => {
  const bad = event('e', 'ana', -1, { more: 1 })
  const issues = (options) => {
    try {
      new Intake(rules(), { trusted: true, ...options }).admit({}, bad, at)
    } catch (error) {
      assert.deepEqual(error.problem().issues, error.issues)
      return error.issues.map(({ path }) => path)
    }
    return assert.fail('nothing was thrown')
  }
  assert.deepEqual([issues(), issues({ firstIssue: false }), issues({ firstIssue: true })], [['/payload/deltaXp', '/more'], ['/payload/deltaXp', '/more'], ['/payload/deltaXp']])
  const intake = new Intake(rules(), { trusted: true, firstIssue: true })
  intake.replaceRules(rules())
  assert.throws(() => intake.admit({}, bad, at), (error) => error.issues.length === 1, 'also after a change of rules')
  for (const firstIssue of [1, null, 'yes']) assert.throws(() => new Intake(rules(), { trusted: true, firstIssue }), { name: 'TypeError', code: 'invalid_argument' })
})

// What a sender can put into a request, and what a server can make of it by mistake: an error with a code, never another
// meaning, never a crash.

import assert from 'node:assert/strict'
import http from 'node:http'
import net from 'node:net'
import { describe, test } from 'node:test'
import {
  Command, Engine, EventParser, Intake, LevelCurve, Loot, Overflow, Progression, RateLimiter, Refusal, SignatureError, Signer, Streak, Verifier,
  generateSecret, migrateXp, planMigration, receiptHash, receiptId, receiptState, seedCommitment, signReceipt, verifyChain, verifyReceipt
} from '../index.mjs'
import { NOW_MS, event, rules } from './game.mjs'
import { seeded } from './random.mjs'

const at = { nowMs: NOW_MS }
const secret = generateSecret()
const body = event('evt_1', 'ana', 120)
const signed = new Signer(secret).sign('evt_1', body, at)
const verifier = new Verifier(secret)
const codeOf = (work) => {
  try {
    work()
    return 'taken'
  } catch (error) {
    assert.equal(typeof error.code, 'string', error.stack)
    assert.ok(!error.code.startsWith('ERR_') && !error.code.includes('Expected'), error.stack)
    return error.code
  }
}

describe('requests as Node has them', () => {
  /** What a server of Node's sees of a request that is sent byte by byte. */
  async function received (lines) {
    const server = http.createServer({ maxHeaderSize: 1 << 20 }, (req, res) => {
      const { headers, headersDistinct, rawHeaders } = req
      res.end()
      server.emit('seen', { headers, headersDistinct, rawHeaders })
    })
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    const seen = new Promise((resolve) => server.once('seen', resolve))
    const socket = net.connect(server.address().port, '127.0.0.1')
    socket.end(['POST / HTTP/1.1', 'Host: x', 'Connection: close', ...lines, '', ''].join('\r\n'), 'latin1')
    socket.resume()
    try {
      return await seen
    } finally {
      server.close()
    }
  }
  const sent = Object.entries(signed).map(([name, value]) => `${name}: ${value}`)

  test('one that is signed', async () => {
    const { headers, headersDistinct, rawHeaders } = await received(sent.map((line) => line.replace('webhook', 'WebHook')))
    for (const given of [headers, headersDistinct, new Headers(headers)]) assert.equal(verifier.verify(given, body, at).messageId, 'evt_1')
    // Names and values in turn are no pairs.
    assert.equal(codeOf(() => verifier.verify(rawHeaders, body, at)), 'invalid_argument')
    const pairs = Array.from({ length: rawHeaders.length / 2 }, (_, at) => rawHeaders.slice(2 * at, 2 * at + 2))
    assert.equal(verifier.verify(pairs, body, at).messageId, 'evt_1')
  })

  test('one whose headers come twice', async () => {
    for (const twice of ['webhook-id: evt_1', 'Webhook-Id: evt_2', `webhook-timestamp: ${NOW_MS / 1000}`, 'webhook-signature: v1,x', 'webhook-key-id: a\r\nwebhook-key-id: b', 'webhook-id:']) {
      const { headers, headersDistinct } = await received([...sent, twice])
      for (const given of [headers, headersDistinct, new Headers(headers)]) assert.equal(codeOf(() => verifier.verify(given, body, at)), 'malformed_header', twice)
    }
    const { headers, headersDistinct } = await received([...sent, 'host: y', 'cookie: a', 'cookie: b', 'set-cookie: c'])
    for (const given of [headers, headersDistinct]) assert.equal(verifier.verify(given, body, at).messageId, 'evt_1', 'what is not read may come twice')
  })

  test('one with bytes that are no ASCII', async () => {
    const { headers } = await received([...sent.slice(1), 'webhook-id: evt_\u00e9\u00ff'])
    assert.equal(codeOf(() => verifier.verify(headers, body, at)), 'malformed_header')
  })

  test('one with headers as long as they may be', async () => {
    const { headers } = await received([...sent.filter((line) => !line.startsWith('webhook-signature')), `webhook-signature: ${'v1,'.padEnd(500_000, 'A')}`])
    assert.equal(codeOf(() => verifier.verify(headers, body, at)), 'malformed_header')
  })
})

describe('headers', () => {
  const FORMS = {
    object: (pairs) => Object.fromEntries(pairs),
    'without prototype': (pairs) => Object.assign(Object.create(null), Object.fromEntries(pairs)),
    Map: (pairs) => new Map(pairs),
    pairs: (pairs) => pairs,
    generator: function * (pairs) { yield * pairs }
  }
  const NOT_TEXT = [7, 7n, null, true, {}, () => 1, Symbol('x'), Buffer.from('evt_1'), new String('evt_1'), '\ud800', 'a\udfff']

  for (const [name, form] of Object.entries(FORMS)) {
    test(`as ${name}`, () => {
      const pairs = Object.entries(signed)
      assert.equal(verifier.verify(form(pairs), body, at).messageId, 'evt_1')
      assert.equal(verifier.verify(form([...pairs, ['X-Other', 7], ['idempotency-key', undefined], ['cookie', [null]]]), body, at).messageId, 'evt_1')
      for (const value of NOT_TEXT) {
        for (const given of [value, [value], ['evt_1', value]]) {
          assert.equal(codeOf(() => verifier.verify(form([...pairs.slice(1), ['webhook-id', given]]), body, at)), 'invalid_argument', String(name))
        }
      }
      for (const given of [[], ['evt_1', 'evt_1'], Array(100_000).fill('evt_1')]) {
        const code = given.length === 0 ? 'missing_header' : 'malformed_header'
        assert.equal(codeOf(() => verifier.verify(form([['webhook-id', given], ...pairs.filter(([name]) => name !== 'webhook-id')]), body, at)), code)
      }
      const many = Array.from({ length: 20_000 }, (_, at) => [`x-${at}`, 'x'])
      assert.equal(verifier.verify(form([...many, ...pairs]), body, at).messageId, 'evt_1')
    })
  }

  test('only what an object has itself', () => {
    const inherited = Object.create(signed)
    assert.equal(codeOf(() => verifier.verify(inherited, body, at)), 'missing_header')
    assert.equal(verifier.verify(JSON.parse(`{"__proto__":{"webhook-id":"x"},"constructor":1,${JSON.stringify(signed).slice(1)}`), body, at).messageId, 'evt_1')
  })

  test('what they throw themselves comes through', () => {
    const angry = Object.defineProperty({ ...signed }, 'webhook-id', { enumerable: true, get () { throw new SyntaxError('mine') } })
    assert.throws(() => verifier.verify(angry, body, at), { name: 'SyntaxError', message: 'mine' })
    assert.throws(() => verifier.verify(Proxy.revocable({}, {}).proxy && new Proxy({}, { ownKeys () { throw new SyntaxError('mine') } }), body, at), { message: 'mine' })
  })

  test('values of any form', (t) => {
    const random = seeded(t)
    const alphabet = ['v', '1', ',', ' ', '.', '=', '/', '+', 'A', 'z', '0', '9', '-', '_', '\t', '\0', '\r\n', 'é', '🐉', '%']
    for (let round = 0; round < 3000; round++) {
      const name = random.pick(Object.keys(signed))
      const value = random.pick([
        () => random.text(random.below(80), alphabet),
        () => `v1,${Buffer.from(random.bytes(random.pick([0, 31, 32, 33]))).toString('base64')}`,
        () => { const cut = random.below(signed[name].length); return signed[name].slice(0, cut) + random.text(random.below(3), alphabet) + signed[name].slice(cut + 1) }
      ])()
      const code = codeOf(() => verifier.verify({ ...signed, [name]: value }, body, at))
      const expected = ['malformed_header', 'missing_header', 'signature_mismatch', 'timestamp_too_old', 'timestamp_too_new', ...(value === signed[name] ? ['taken'] : [])]
      assert.ok(expected.includes(code), `${code}: ${name}: ${JSON.stringify(value)}`)
    }
  })
})

describe('bodies', () => {
  const intake = new Intake(rules(), { secret, quotas: false })
  const CALLS = {
    verify: (content) => verifier.verify(new Signer(secret).sign('e', typeof content === 'string' || content instanceof Uint8Array ? content : '', at), content, at),
    verifyBatch: (content) => verifier.verifyBatch([[signed, content]], at).forEach((answer) => { if (answer instanceof SignatureError) throw answer }),
    admit: (content) => intake.admit(signed, content, at),
    admitBatch: (content) => intake.admitBatch([{ headers: signed, body: content }], at).forEach((answer) => { if (answer instanceof Refusal) throw answer }),
    parse: (content) => new EventParser().parse(content, at),
    validate: (content) => new EventParser().validate(content, at),
    validateBatch: (content) => new EventParser().validateBatch(content, at)
  }
  const NO_BODY = [undefined, null, 1, 1n, 2n ** 64n, true, {}, [], [1, 2], JSON.parse(body), new Uint16Array(2), new Int8Array(2), new Uint8ClampedArray(2), new DataView(new ArrayBuffer(2)),
    new SharedArrayBuffer(2), new Blob(['x']), Symbol('x'), () => 1, new Date(), '\ud800', { length: 3, 0: 1 }, Object.assign(Object.create(Uint8Array.prototype), {}), new String(body)]

  for (const [name, call] of Object.entries(CALLS)) {
    test(`that are none, to ${name}`, () => {
      for (const content of NO_BODY) assert.equal(codeOf(() => call(content)), 'invalid_argument')
    })
  }

  test('in every form of bytes, also a part of a larger buffer', () => {
    const bytes = Buffer.concat([Buffer.from('xx'), Buffer.from(body), Buffer.from('yy')])
    const shared = new Uint8Array(new SharedArrayBuffer(Buffer.byteLength(body)))
    shared.set(Buffer.from(body))
    const forms = [body, bytes.subarray(2, -2), new Uint8Array(bytes.buffer, bytes.byteOffset + 2, body.length), Uint8Array.from(Buffer.from(body)), new TextEncoder().encode(body).buffer, shared, class extends Uint8Array {}.from(Buffer.from(body))]
    for (const content of forms) {
      assert.equal(verifier.verify(signed, content, at).messageId, 'evt_1')
      assert.equal(intake.admit(signed, content, at).id, 'evt_1')
      assert.equal(new EventParser().parse(content, at).id, 'evt_1')
    }
  })

  test('whose memory was taken away are not empty ones', () => {
    for (const make of [() => new Uint8Array(8), () => new ArrayBuffer(8)]) {
      const content = make()
      structuredClone(content, { transfer: [content.buffer ?? content] })
      for (const [name, call] of Object.entries(CALLS)) assert.equal(codeOf(() => call(content)), 'invalid_argument', name)
    }
    assert.equal(codeOf(() => CALLS.parse(new Uint8Array(0))), 'syntax')
    assert.equal(codeOf(() => CALLS.parse(new ArrayBuffer(0))), 'syntax')
  })

  test('that are too long are refused before they are read', () => {
    const long = Buffer.alloc(64 * 1024 * 1024, '[')
    assert.equal(codeOf(() => CALLS.admit(long)), 'too_large')
    assert.equal(codeOf(() => CALLS.parse(long)), 'too_large')
    assert.equal(codeOf(() => verifier.verify(signed, long, at)), 'too_large')
    const { accepted, refused, errors } = new EventParser().validateBatch(long, at)
    assert.deepEqual([accepted, refused, errors[0].code], [0, 1, 'too_large'])
  })

  test('of any bytes', (t) => {
    const random = seeded(t)
    const pieces = ['{', '}', '[', ']', '"', ':', ',', '\\u00', '\\', 'id', 'type', 'progression', 'payload', '1e999', '-', '0', ' ', '\ufeff', '\\ud800', 'null', '\u0000']
    for (let round = 0; round < 3000; round++) {
      const content = random.pick([
        () => random.bytes(random.below(40)),
        () => random.text(random.below(30), pieces),
        () => { const bytes = Buffer.from(body); bytes[random.below(bytes.length)] = random.below(256); return bytes }
      ])()
      let issues = []
      try {
        new EventParser().parse(content, at)
      } catch (error) {
        assert.equal(error.name, 'ValidationError', error.stack)
        issues = error.issues
      }
      for (const { offset } of issues) assert.ok(offset === undefined || (offset >= 0 && offset <= Buffer.byteLength(content)))
      const report = new EventParser().validateBatch(content, at)
      assert.equal(report.errors.length, report.refused)
    }
  })
})

describe('keys and addresses', () => {
  test('of any length', () => {
    const limiter = new RateLimiter({ limit: 1, periodSeconds: 1 })
    const long = 'x'.repeat(10_000_000)
    assert.deepEqual([limiter.check(long, at).allowed, limiter.check(long, at).allowed, limiter.check(`${long}x`, at).allowed], [true, false, true])
    const intake = new Intake(rules(), { trusted: true })
    assert.equal(intake.admit({}, body, { ...at, address: long }).id, 'evt_1')
    assert.equal(codeOf(() => intake.admit({}, body, { ...at, trustedPlayer: long })), 'id_invalid')
  })

  test('that are no text', () => {
    const limiter = new RateLimiter({ limit: 1, periodSeconds: 1 })
    const intake = new Intake(rules(), { trusted: true })
    for (const value of [undefined, null, 7, 7n, {}, ['a'], Buffer.from('a'), '\ud800', Symbol('x')]) {
      assert.equal(codeOf(() => limiter.check(value, at)), 'invalid_argument')
      if (value !== undefined) assert.equal(codeOf(() => intake.admit({}, body, { ...at, address: value })), 'invalid_argument')
    }
  })
})

test('whatever progression and rewards are called with, they answer or refuse with a code', (t) => {
  const random = seeded(t)
  const curve = LevelCurve.table([5, 5])
  const VALUES = [
    undefined, null, NaN, Infinity, -1, 0, 1, 1.5, 2 ** 53, 2n ** 70n, 1n, true, '', 'a', '\ud800', '4/3', '0'.repeat(64), {}, [], [[]], () => 1, Symbol('x'), new Date(NaN),
    new Date(5), Buffer.alloc(32), new Uint8Array(3), curve, LevelCurve.linear(1, 1), { kind: 'table', costs: [1] }, { xp: 1 }, { policy: 'keepEffort' },
    { number: 1, id: '0'.repeat(64) }, { level: 2 }, Object.create(Loot.prototype), new Proxy({}, {}), { entries: [{ name: 'a', weight: 1 }] }, { nowMs: 1 }
  ]
  const any = () => random.pick(VALUES)
  const some = (...keys) => Object.fromEntries(keys.filter(() => random.below(5) > 0).map((key) => [key, any()]))
  const engine = new Engine(rules())
  const loot = new Loot({ entries: [{ name: 'a', weight: 1 }] })
  const keep = { policy: 'keepEffort' }
  const [receipt] = engine.submitNdjson(event('e1', 'ana', 120), at).at(0).unwrap().receipts
  const CALLS = [
    () => LevelCurve.table(any(), some('maxLevel', 'rounding', 'cumulative')).totals(),
    () => LevelCurve.polynomial(any(), some('times', 'maxLevel')).cost(any()),
    () => LevelCurve.polynomial(['1'], { maxLevel: 3, times: some('coefficients', 'rounding') }).gained(any(), any()),
    () => LevelCurve.piecewise([[any(), any()]], some('cumulative', 'maxLevel')).costs(),
    () => LevelCurve.fromRules(random.below(2) ? any() : some('kind', 'costs', 'totals', 'base', 'growth', 'maxLevel', 'pieces', 'cumulative')),
    () => new Progression(any(), some('atMaxLevel', 'dailyXpCap', 'boosts', 'boostStacking')),
    () => new Progression(curve, { boosts: [some('id', 'from', 'until', 'factor')] }).grant(any(), any(), any()),
    () => new Streak(some('lastDay', 'length', 'longest')).step(any(), any()),
    () => new Streak().lengthOn(any(), any()),
    () => new Overflow(some('units', 'rest')).gather(any(), any()),
    () => migrateXp(any(), curve, keep, any()),
    () => migrateXp(curve, curve, any(), some('xp', 'grantedThrough')),
    () => planMigration(curve, curve, keep, random.below(2) ? any() : [some('xp', 'grantedThrough', 'players')]),
    () => new Loot(random.below(2) ? some('entries', 'guaranteed', 'pity') : { entries: [some('name', 'weight', 'items')] }),
    () => Loot.fromRules(some('entries', 'guaranteed', 'pity')),
    () => loot.roll(some('seed', 'table', 'player', 'nonce', 'misses')),
    () => loot.verifyRoll({ ...some('seed', 'table', 'player', 'commitment', 'misses'), roll: some('entry', 'nonce', 'missesAfter') }),
    () => loot.verifyReceipt(some('seed', 'commitment', 'player', 'receipt')),
    () => loot.verifyReceipt({ seed: new Uint8Array(32), commitment: '0'.repeat(64), player: 'ana', receipt: { ...receipt, roll: random.below(2) ? any() : some('table', 'entry', 'nonce', 'misses') } }),
    () => [loot.items(any()), loot.expectedRolls(any()), rules().loot(any())],
    () => seedCommitment(any()),
    () => receiptId(some('game', 'player', 'reward', 'scope', 'index')),
    () => [receiptHash(any()), receiptState(any(), any())],
    () => verifyChain(any(), any()),
    () => verifyReceipt(any(), any(), signReceipt(any(), any())),
    () => Command.claim(some('player', 'receipt', 'nowMs')),
    () => Command.revoke(some('id', 'player', 'receipt', 'reason', 'ts')),
    () => Command.migrate(some('player', 'curve', 'version', 'nowMs')),
    () => [engine.explain(any(), any()), engine.chainHead(any()), engine.claimable('ana', any())],
    () => engine.claimable(any(), any()),
    () => [engine.planMigration(any()), [...engine.migrations(any())]]
  ]
  for (let round = 0; round < 400; round++) for (const call of CALLS) codeOf(call)
})

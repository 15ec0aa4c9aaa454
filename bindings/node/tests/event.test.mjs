// Events: bodies one at a time, and batches of lines.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BatchReport, EventParser, ValidationError, validate } from '../index.mjs'
import { NOW_MS, event, rules } from './game.mjs'
import { seeded } from './random.mjs'

const at = { nowMs: NOW_MS }
const body = event('evt_1', 'ana', 120)
const parser = new EventParser()
const issuesOf = (work) => {
  try {
    work()
  } catch (error) {
    assert.ok(error instanceof ValidationError, error.stack)
    assert.equal(error.code, error.issues[0].code)
    return error.issues
  }
  return assert.fail('nothing was thrown')
}
const places = (issues) => issues.map(({ code, path }) => [code, path])

describe('one body', () => {
  test('is an event', () => {
    const wanted = { id: 'evt_1', type: 'progression', playerId: 'ana', ts: NOW_MS / 1000, payload: { deltaXp: 120 } }
    for (const content of [body, Buffer.from(body), new TextEncoder().encode(body).buffer, body.replace('"ana"', '"\\u0061na"')]) {
      const parsed = parser.parse(content, at)
      assert.deepEqual(parsed, wanted)
      assert.deepEqual(Object.keys(parsed), ['id', 'type', 'playerId', 'ts', 'payload'])
      assert.equal(parser.validate(content, at), undefined)
    }
    const parsed = parser.parse(event(undefined, 'ana', 120), at)
    assert.ok(!('id' in parsed) && Object.isFrozen(parsed) && Object.isFrozen(parsed.payload))
    assert.deepEqual(validate(body, at), wanted)
    assert.equal(new EventParser().parse(event('e', 'ana', 1, { ts: Math.floor(Date.now() / 1000) })).id, 'e', 'without a time it is the present')
  })

  test('every issue, or the first', () => {
    const bad = '{"type":"progression","ts":1,"payload":{"deltaXp":-1,"zone":"","x/~":1},"playerId":"a b"}'
    const all = [['invalid_format', '/playerId'], ['too_old', '/ts'], ['out_of_range', '/payload/deltaXp'], ['too_short', '/payload/zone'], ['unknown_field', '/payload/x~1~0']]
    for (const ask of [(one) => one.parse(bad, at), (one) => one.validate(bad, at)]) {
      assert.deepEqual(places(issuesOf(() => ask(parser))), all)
      assert.deepEqual(places(issuesOf(() => ask(new EventParser({ firstIssue: true })))), all.slice(0, 1))
    }
    assert.deepEqual(places(issuesOf(() => validate(bad, { ...at, firstIssue: true }))), all.slice(0, 1))
    const issues = issuesOf(() => parser.parse(bad, at))
    assert.ok(Object.isFrozen(issues) && issues.every(Object.isFrozen))
    assert.equal(issues[2].limit, 0)
    assert.ok(issues.every((issue) => !('offset' in issue)))
    const many = event('e', 'ana', 1, { payload: Object.fromEntries(Array.from({ length: 99 }, (_, at) => [`x${at}`, 1])) })
    assert.equal(issuesOf(() => parser.parse(many, at)).length, 32)
  })

  test('bytes that are no JSON say where', () => {
    for (const [content, code, offset] of [
      ['{"type":}', 'syntax', 8], ['{}x', 'trailing_data', 2], ['\n\n {"a":01}', 'syntax', 9], ['\ufeff{}', 'syntax', 0],
      [Buffer.from([0x7b, 0xff, 0x7d]), 'invalid_utf8', 1], ['', 'syntax', 0], ['[[[[[[[[[', 'too_deep', 8]
    ]) {
      const [issue, ...more] = issuesOf(() => parser.validate(content, at))
      assert.deepEqual([issue.code, issue.offset, more], [code, offset, []], String(content))
    }
    assert.deepEqual(places(issuesOf(() => parser.validate('x'.repeat(65_537), at))), [['too_large', '']])
  })

  test('by the rules', () => {
    const strict = rules({
      events: {
        progression: { fields: { deltaXp: { type: 'uint', required: true, max: 100 } } },
        arena_win: { unknownFields: 'keep', fields: { rating: { type: 'uint', max: 5000 }, odds: { type: 'decimal' }, tags: { type: 'array', items: { type: 'id' }, maxLen: 2 } } }
      },
      limits: { maxPastSeconds: 10 }
    })
    const given = new EventParser({ rules: strict })
    assert.deepEqual(places(issuesOf(() => given.parse(body, at))), [['out_of_range', '/payload/deltaXp']])
    assert.deepEqual(places(issuesOf(() => validate(body, { ...at, rules: strict }))), [['out_of_range', '/payload/deltaXp']])
    const win = (payload) => event('e', 'ana', 0, { type: 'arena_win', payload })
    const payload = { rating: 1800, odds: 0.25, tags: ['a', 'b'], note: 'über', ranked: true }
    assert.deepEqual(given.parse(win(payload), at).payload, payload)
    assert.deepEqual(places(issuesOf(() => parser.parse(win({}), at))), [['unknown_type', '/type']])
    assert.deepEqual(places(issuesOf(() => given.parse(event('e', 'ana', 1), { nowMs: NOW_MS + 11_000 }))), [['too_old', '/ts']])
    // A field may have any name that is an id.
    const odd = given.parse(win({}).replace('"payload":{', '"payload":{"__proto__":7,"constructor":8'), at).payload
    assert.equal(Object.getPrototypeOf(odd), Object.prototype)
    assert.deepEqual(Object.entries(odd), [['__proto__', 7], ['constructor', 8]])
  })

  test('integers stop where numbers are exact', () => {
    const kill = (damage) => `{"id":"e","type":"boss_kill","playerId":"ana","ts":${NOW_MS / 1000},"payload":{"bossId":"b","durationMs":1,"damage":${damage}}}`
    assert.equal(parser.parse(kill('9007199254740991'), at).payload.damage, Number.MAX_SAFE_INTEGER)
    for (const damage of ['9007199254740992', '9007199254740993', '18446744073709551616', '-1']) {
      assert.deepEqual(places(issuesOf(() => parser.parse(kill(damage), at))), [['out_of_range', '/payload/damage']], damage)
    }
    for (const damage of ['1.0', '1e3']) assert.deepEqual(places(issuesOf(() => parser.parse(kill(damage), at))), [['not_integer', '/payload/damage']], damage)
  })

  test('no value is echoed', () => {
    for (const content of [event('e', 'geheim wort', 1), event('e', 'ana', 1, { type: 'geheim' }), event('e', 'ana', 1, { payload: { deltaXp: 'geheim' } }), '{"a":"geheim\n"}', '"geheim', 'geheim']) {
      try {
        parser.parse(content, at)
        assert.fail('nothing was thrown')
      } catch (error) {
        assert.ok(!/geheim|wort/.test(JSON.stringify([error.message, error.issues, error.stack])), content)
      }
    }
  })

  test('settings are checked', () => {
    for (const bad of [null, 7, [], { rules: {} }, { rules: null }, { firstIssue: 1 }, { first: true }, at]) {
      assert.throws(() => new EventParser(bad), { name: 'TypeError', code: 'invalid_argument' })
    }
    for (const ask of ['parse', 'validate', 'validateBatch']) {
      assert.throws(() => parser[ask](body, { ...at, firstIssue: true }), { name: 'TypeError', code: 'invalid_argument' })
      assert.throws(() => parser[ask](undefined, at), { name: 'TypeError', code: 'invalid_argument' })
    }
  })
})

describe('many lines', () => {
  const lines = [body, event('e', 'ana', -1), '', '{"type":}', body]

  test('are counted', () => {
    for (const content of [lines.join('\n'), `${lines.join('\n')}\n`, lines.join('\r\n'), Buffer.from(lines.join('\n')), new TextEncoder().encode(lines.join('\n')).buffer]) {
      const { accepted, refused } = parser.validateBatch(content, at)
      assert.deepEqual([accepted, refused], [2, 3])
    }
    for (const nothing of ['', '\n']) assert.deepEqual(parser.validateBatch(nothing, at).toJSON(), { accepted: 0, refused: 0, errors: [] })
  })

  test('say why they are none when asked', () => {
    const report = parser.validateBatch(lines.join('\n'), at)
    assert.ok(report instanceof BatchReport && Object.isFrozen(report))
    const { errors } = report
    assert.deepEqual(errors.map(({ line, code, issues }) => [line, code, ...places(issues)]), [
      [2, 'out_of_range', ['out_of_range', '/payload/deltaXp']], [3, 'syntax', ['syntax', '']], [4, 'syntax', ['syntax', '/type']]
    ])
    assert.deepEqual([errors[0].issues[0].limit, errors[2].issues[0].offset], [0, 8])
    assert.equal(report.errors, errors, 'they cross once')
    assert.ok(Object.isFrozen(errors) && Object.isFrozen(errors[0].issues[0]))
    assert.deepEqual(JSON.parse(JSON.stringify(report)), { accepted: 2, refused: 3, errors })
  })

  test('keep the reasons of a thousand', () => {
    const report = parser.validateBatch('x\n'.repeat(1500), at)
    assert.deepEqual([report.accepted, report.refused, report.errors.length, report.errors.at(-1).line], [0, 1500, 1000, 1000])
  })

  test('each as it is alone', (t) => {
    const random = seeded(t)
    const parsers = [parser, new EventParser({ firstIssue: true }), new EventParser({ rules: rules({ events: 'guide', detectors: {} }) })]
    for (let round = 0; round < 60; round++) {
      const some = Array.from({ length: 1 + random.below(30) }, () => {
        const line = event(random.pick(['e1', 'a b', undefined, 7]), random.pick(['ana', '', 'x'.repeat(65)]), random.pick([1, -1, 1.5, 'x', undefined]), random.pick([{}, {}, { more: 1 }, { type: 'x' }, { ts: 1 }, { payload: [] }]))
        return random.pick([line, line, line.slice(0, random.below(line.length)), `${line} ${random.pick(['', '{}', '\r'])}`])
      })
      const one = random.pick(parsers)
      const report = one.validateBatch(some.join('\n'), at)
      const errors = []
      some.forEach((line, index) => {
        try {
          one.validate(line.replace(/\r$/, ''), at)
        } catch ({ code, issues }) {
          errors.push({ line: index + 1, code, issues })
        }
      })
      // An empty last line is no line.
      const lost = Number(some.at(-1) === '')
      assert.deepEqual(report.errors, errors.slice(0, errors.length - lost), `round ${round}`)
      assert.deepEqual([report.accepted, report.refused], [some.length - errors.length, errors.length - lost])
    }
  })

  test('on another thread', async () => {
    const content = Buffer.from(lines.join('\n'))
    const waiting = [1, 2, 3].map(() => parser.validateBatchAsync(content, at))
    content.fill(0x20)
    for (const report of await Promise.all(waiting)) {
      assert.deepEqual([report.accepted, report.refused, report.errors.map(({ line }) => line)], [2, 3, [2, 3, 4]], 'of the lines as they were')
    }
    const { accepted } = await parser.validateBatchAsync(event('e', 'ana', 1, { ts: Math.floor(Date.now() / 1000) }))
    assert.equal(accepted, 1)
    await assert.rejects(parser.validateBatchAsync(undefined), { name: 'TypeError', code: 'invalid_argument' })
    await assert.rejects(parser.validateBatchAsync('', { nowMs: 1.5 }), { name: 'TypeError', code: 'invalid_argument' })
  })
})

// Loot, receipts, claims and claw-backs: alone, and of an engine. The exact values of many cases are in /vectors.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import {
  Command, Engine, Loot, Refusal, Rules, SignatureError, ValidationError, generateSecret, receiptHash, receiptId, receiptState, seedCommitment, signReceipt,
  verifyChain, verifyReceipt
} from '../index.mjs'
import { DOCUMENT, NOW_MS, event, rules } from './game.mjs'
import { seeded } from './random.mjs'

const at = { nowMs: NOW_MS }
const HOUR_MS = 3_600_000
const ZEROS = '0'.repeat(64)
const wrong = { code: /^(invalid_argument|out_of_range)$/ }
const gold = (amount) => ({ kind: 'currency', id: 'gold', amount })

const REWARDS = {
  ...DOCUMENT.rewards,
  present: { on: { event: 'progression' }, grant: gold(50), claimWithinSeconds: 3600 }
}
const waiting = rules({ rewards: REWARDS })

/** An engine whose player ana has a receipt for a level and one that waits. */
function played () {
  const engine = new Engine(waiting)
  const [outcome] = engine.submitNdjson(event('e1', 'ana', 120), at)
  return { engine, effect: outcome.unwrap() }
}

describe('loot', () => {
  const table = { table: 'chest', player: 'ana' }
  const seed = randomBytes(32)
  const commitment = seedCommitment(seed)
  const chest = new Loot({
    entries: [{ name: 'scale', weight: 70, items: [gold(5n)] }, { name: 'crown', weight: 5, items: [{ kind: 'item', id: 'crown', amount: 1 }] }, { name: 'horn', weight: 25n }],
    guaranteed: [gold(1)],
    pity: { entry: 'crown', guaranteedAt: 20 }
  })

  test('says what it is', () => {
    const longRun = { crown: '0.077940612289793', horn: '0.24264720729216', scale: '0.679412180418047' }
    assert.deepEqual(chest.odds(), [['crown', 5], ['horn', 25], ['scale', 70]].map(([entry, weight]) => ({ entry, weight, total: 100, longRun: longRun[entry] })))
    assert.deepEqual(chest.entries.map(({ name }) => name), ['crown', 'horn', 'scale'])
    assert.deepEqual([chest.guaranteed, chest.pity], [[gold(1)], { entry: 'crown', guaranteedAt: 20 }])
    assert.deepEqual([chest.items('scale'), chest.items('horn'), chest.items('moon'), chest.items('a b')], [[gold(1), gold(5)], [gold(1)], null, null])
    assert.ok(Object.isFrozen(chest.items('scale')[0]) && Object.isFrozen(chest.odds()))
    assert.deepEqual([chest.expectedRolls('crown'), chest.expectedRolls('moon')], ['12.830282', null])
    const { entries, guaranteed } = chest
    assert.deepEqual(new Loot({ entries, guaranteed }).expectedRolls('crown'), '20')
    assert.equal(new Loot({ entries }).pity, null)
    const always = new Loot({ entries, pity: { entry: 'crown', guaranteedAt: 1 } })
    assert.deepEqual([always.expectedRolls('crown'), always.expectedRolls('horn')], ['1', null])
  })

  test('rolls as anyone can check', () => {
    const counts = { crown: 0, horn: 0, scale: 0 }
    let misses = 0
    for (let nonce = 0; nonce < 2000; nonce++) {
      const roll = chest.roll({ seed, ...table, nonce, misses })
      assert.ok(chest.verifyRoll({ seed, commitment, ...table, misses, roll }))
      assert.deepEqual(chest.roll({ seed, ...table, nonce: BigInt(nonce), misses }), roll)
      counts[roll.entry]++
      misses = roll.missesAfter
      assert.ok(misses < 20)
    }
    // 2000 rolls with about 156 crowns, by a random seed: ten deviations around.
    assert.ok(counts.crown > 60 && counts.horn > 250 && counts.scale > 1100, JSON.stringify(counts))
    const roll = chest.roll({ seed, ...table, nonce: 7 })
    const verify = (changes) => chest.verifyRoll({ seed, commitment, ...table, roll, ...changes })
    assert.ok(verify({}))
    const other = ['crown', 'horn', 'scale'].find((entry) => entry !== roll.entry)
    for (const changes of [{ commitment: ZEROS }, { seed: randomBytes(32) }, { roll: { ...roll, entry: other } }, { roll: { ...roll, entry: 'moon' } }, { roll: { ...roll, missesAfter: 9 } }, { misses: 19 }]) {
      assert.equal(verify(changes), changes.misses === 19 && roll.entry === 'crown')
    }
  })

  test('of rules', () => {
    const written = { entries: { crown: { weight: 1, grant: { kind: 'item', id: 'crown', amount: 1 } }, scale: { weight: 99 } }, pity: { entry: 'crown', guaranteedAt: 50 } }
    const made = rules({ loot: { chest: written } })
    assert.equal(made.loot('chest').expectedRolls('crown'), '39.499393')
    assert.deepEqual([made.loot('moon'), made.loot('a b')], [null, null])
    assert.deepEqual(Loot.fromRules(written).entries, made.loot('chest').entries)
    assert.throws(() => Loot.fromRules({ ...written, pity: { entry: 'moon', guaranteedAt: 50 } }), { name: 'RulesError', issue: 'missing', path: '/loot/table' })
    assert.throws(() => Loot.fromRules({ entries: { crown: { weight: 0.5 } } }), { name: 'RulesError', path: '/loot/table/entries/crown/weight' })
    for (const none of [undefined, null, 'chest', [written], { entries: { crown: { weight: NaN } } }]) assert.throws(() => Loot.fromRules(none), wrong)
  })

  test('that is none', () => {
    const entries = [{ name: 'a', weight: 1 }]
    for (const [given, message] of [
      [{ entries: [] }, /at least one entry/],
      [{ entries: [...entries, ...entries] }, /different names/],
      [{ entries: Array.from({ length: 1001 }, (_, n) => ({ name: `e${n}`, weight: 1 })) }, /at most 1000 entries/],
      [{ entries: [{ name: 'a', weight: Number.MAX_SAFE_INTEGER }, { name: 'b', weight: 1 }] }, /add up/],
      [{ entries: [{ name: 'a', weight: 0 }] }, /weight/],
      [{ entries, pity: { entry: 'b', guaranteedAt: 3 } }, /one of the table/],
      [{ entries, pity: { entry: 'a', guaranteedAt: 10_001 } }, /10000|10,000/],
      [{ entries, pity: { entry: 'a', guaranteedAt: 0 } }, /guaranteedAt/],
      [{ entries, guaranteed: [gold(0)] }, /amount/]
    ]) assert.throws(() => new Loot(given), { name: 'RangeError', message }, String(message))
    for (const none of [undefined, null, [], { entries: {} }, { entries: [null] }, { entries: [{ name: 7, weight: 1 }] }, { entries: [{ name: 'a', weight: 1.5 }] }, { entries: [{ name: 'a', weight: 1, odds: 2 }] }, { entries, guaranteed: gold(1) }, { entries, pity: 'a' }]) {
      assert.throws(() => new Loot(none), { name: 'TypeError', ...wrong })
    }
    assert.throws(() => new Loot({ entries: [{ name: 'a b', weight: 1 }] }), { code: 'id_invalid' })
  })

  test('by seeds that are none', () => {
    for (const none of [undefined, null, 'x'.repeat(32), randomBytes(31), new Uint8Array(33), new Uint8Array(0), Array(32).fill(0), new Uint32Array(32), new ArrayBuffer(32)]) {
      assert.throws(() => seedCommitment(none), wrong)
      assert.throws(() => chest.roll({ seed: none, ...table, nonce: 0 }), wrong)
      assert.throws(() => chest.verifyRoll({ seed: none, commitment, ...table, roll: { entry: 'crown', nonce: 0, missesAfter: 0 } }), wrong)
    }
    const taken = new Uint8Array(32)
    structuredClone(taken, { transfer: [taken.buffer] })
    assert.throws(() => seedCommitment(taken), wrong)
    assert.equal(seedCommitment(new Uint8Array(32).fill(7)), '934dc555dc11a5ddf7019e72c80da5cf73a13cffb933d1e8725a35ddb3d16b50')
    for (const none of [undefined, '', 'x', ZEROS.slice(1), ZEROS.toUpperCase().replace('0', 'A')]) {
      assert.throws(() => chest.verifyRoll({ seed, commitment: none, ...table, roll: { entry: 'crown', nonce: 0, missesAfter: 0 } }), wrong)
    }
    assert.throws(() => chest.roll({ seed, ...table, nonce: 0, miss: 3 }), { name: 'TypeError', message: /no member "miss"/ })
    assert.throws(() => chest.roll({ seed, ...table, player: 'a b', nonce: 0 }), { code: 'id_invalid' })
  })
})

describe('claims', () => {
  test('are given once, and in time', () => {
    const { engine, effect } = played()
    assert.deepEqual(effect.receipts.map(({ reward, state }) => [reward, state]), [['level-gold', 'issued']])
    const [promised] = effect.claimable
    assert.deepEqual([promised.reward, promised.state, promised.claimUntil, promised.settledAt], ['present', 'claimable', NOW_MS + HOUR_MS, undefined])
    const claim = Command.claim({ player: 'ana', receipt: promised, nowMs: NOW_MS + 1 })
    const { id, ...told } = claim.toJSON()
    assert.deepEqual(told, {
      origin: 'operator', playerId: 'ana', ts: NOW_MS + 1, receivedAt: NOW_MS + 1, action: 'claim', receipt: { number: promised.number, id: promised.id }
    })
    assert.equal(Command.claim({ player: 'ana', receipt: { number: promised.number, id: promised.id }, now: new Date(NOW_MS + 1) }).id, id)
    const head = engine.chainHead('ana')
    const first = engine.submit(claim)
    assert.deepEqual([first.status, first.effect.receipts[0].state, first.effect.receipts[0].settledAt], ['applied', 'claimed', NOW_MS + 1])
    for (const again of [claim, Command.claim({ player: 'ana', receipt: promised, nowMs: NOW_MS + 9 })]) {
      const outcome = engine.submit(again)
      assert.deepEqual([outcome.status, outcome.effect.receipts[0].id], ['replayed', promised.id])
    }
    assert.equal(engine.chainHead('ana'), head, 'a state is no link')
    assert.equal(verifyChain(engine.receipts('ana'), head), null)
  })

  test('are refused with a code of their own', () => {
    const { engine, effect } = played()
    const [given, promised] = [effect.receipts[0], effect.claimable[0]]
    const refusal = (receipt, nowMs = NOW_MS) => {
      const { error } = engine.submit(Command.claim({ player: 'ana', receipt, nowMs }))
      assert.ok(error instanceof Refusal && error.httpStatus >= 400 && error.problem().code === error.code)
      return error.code
    }
    assert.equal(refusal(given), 'receipt_settled')
    assert.equal(refusal({ number: promised.number, id: ZEROS }), 'receipt_unknown')
    assert.equal(refusal({ number: 99, id: promised.id }), 'receipt_unknown')
    assert.equal(refusal(promised, NOW_MS + HOUR_MS), 'claim_expired')
    assert.equal(engine.submit(Command.claim({ player: 'bo', receipt: promised, ...at })).error.code, 'receipt_unknown')
  })

  test('of what is no receipt', () => {
    for (const none of [undefined, null, 7, 'r', [], {}, { number: 1 }, { number: -1, id: ZEROS }, { number: 1.5, id: ZEROS }, { number: 1, id: 'x' }, { number: 1, id: ZEROS.replace('0', '\ud800') }]) {
      assert.throws(() => Command.claim({ player: 'ana', receipt: none, ...at }), wrong)
      assert.throws(() => Command.revoke({ id: 'r1', player: 'ana', receipt: none, reason: 'r', ...at }), wrong)
    }
    const receipt = { number: 1, id: ZEROS }
    assert.throws(() => Command.claim({ player: 'a b', receipt, ...at }), { code: 'id_invalid' })
    assert.throws(() => Command.claim({ player: 'ana', receipt, id: 'mine', ...at }), { name: 'TypeError', message: /no member "id"/ })
    for (const reason of [undefined, 7, '', 'x'.repeat(257), 'a\nb']) assert.throws(() => Command.revoke({ id: 'r1', player: 'ana', receipt, reason, ...at }), wrong)
  })
})

describe('claw-backs', () => {
  test('are receipts of their own', () => {
    const { engine, effect: { receipts: [given], claimable: [promised] } } = played()
    const revoke = (id, receipt) => engine.submit(Command.revoke({ id, player: 'ana', receipt, reason: 'bought back', ...at }))
    const command = Command.revoke({ id: 'r1', player: 'ana', receipt: given, reason: 'bought back', ts: NOW_MS - 5, ...at })
    const { action, receipt, reason, ts } = command.toJSON()
    assert.deepEqual({ action, receipt, reason, ts }, { action: 'revoke', receipt: { number: given.number, id: given.id }, reason: 'bought back', ts: NOW_MS - 5 })
    const [back] = engine.submit(command).unwrap().receipts
    assert.deepEqual([back.items, back.scope, back.state], [[gold(-100)], { revoke: { number: given.number, receipt: given.id } }, 'issued'])
    assert.equal(engine.receipts('ana').find(({ id }) => id === given.id).state, 'revoked')
    assert.equal(revoke('r2', given).code, 'receipt_settled')
    assert.equal(revoke('r3', back).code, 'receipt_settled')
    assert.equal(revoke('r4', { number: 77, id: ZEROS }).code, 'receipt_unknown')
    assert.deepEqual(revoke('r5', promised).unwrap().receipts[0].items, [], 'nothing was given yet')
    assert.equal(engine.submit(Command.claim({ player: 'ana', receipt: promised, ...at })).code, 'receipt_settled')
    assert.equal(verifyChain(engine.receipts('ana'), engine.chainHead('ana')), null)
    assert.equal(Engine.restore(waiting, engine.snapshot()).digest(), engine.digest())
  })
})

describe('receipts', () => {
  const { engine } = played()
  engine.submitNdjson(Array.from({ length: 5 }, (_, n) => event(`f${n}`, 'ana', 90)).join('\n'), at)
  const receipts = engine.receipts('ana')
  const head = engine.chainHead('ana')

  test('are named by what they are for', () => {
    for (const { id, reward, scope } of receipts) assert.equal(receiptId({ game: 'emberfall', player: 'ana', reward, scope }), id)
    const of = (scope, index) => receiptId({ game: 'g', player: 'ana', reward: 'r', scope, index })
    const scopes = [{ level: 2 }, { event: { id: 'e', ts: 5 } }, { payout: { board: 'xp', window: 'weekly', index: 2966, tier: 'gold' } }, { streak: { streak: 's', day: -1 } }, { overflow: { units: 3 } }, { revoke: { number: 1, receipt: ZEROS } }]
    assert.equal(new Set(scopes.flatMap((scope) => [of(scope), of(scope, 1)])).size, 12)
    for (const [scope, path] of [[{}, ''], [{ moon: 1 }, ''], [{ level: -1 }, '/level'], [{ event: { id: 'e' } }, '/event/ts'], [{ payout: { board: 'xp', window: 'hourly', index: 1, tier: 't' } }, '/payout/window'], [{ streak: { streak: 's', day: 1.5 } }, '/streak/day']]) {
      assert.throws(() => of(scope), (error) => error instanceof ValidationError && error.issues[0].path === path && error.code === error.issues[0].code, JSON.stringify(scope))
    }
    for (const scope of [undefined, null, 7, 'level', [2], { level: NaN }, { level: 2n ** 60n }]) assert.throws(() => of(scope), wrong)
    assert.throws(() => of({ level: 2 }, -1), wrong)
    assert.throws(() => receiptId({ game: 'g', player: 'a b', reward: 'r', scope: { level: 2 } }), { code: 'id_invalid' })
  })

  test('stand where time has left them', () => {
    const promised = receipts.find(({ state }) => state === 'claimable')
    const states = [-1, 0].map((before) => receiptState(promised, { nowMs: promised.claimUntil + before }))
    assert.deepEqual(states, ['claimable', 'expired'])
    assert.equal(receiptState({ ...promised, state: 'expired' }, at), 'claimable')
    assert.equal(receiptState(receipts[0], { now: new Date(8.64e15) }), 'issued')
    assert.throws(() => receiptState(promised, { nowMs: undefined }), wrong)
  })

  test('are a chain', () => {
    receipts.slice(1).forEach((receipt, at) => assert.equal(receiptHash(receipts[at]), receipt.previous))
    assert.equal(receiptHash(receipts.at(-1)), head)
    const written = JSON.stringify(receipts)
    for (const form of [receipts, [...receipts], written, Buffer.from(written), new TextEncoder().encode(written).buffer, receipts.map((receipt) => ({ ...receipt, note: 'mine' }))]) {
      assert.equal(verifyChain(form, head), null)
    }
    for (let from = 0; from < receipts.length; from++) assert.equal(verifyChain(receipts.slice(from), head), null, 'the oldest may be gone')
    assert.equal(verifyChain([], engine.chainHead('nobody')), null)
    assert.equal(engine.chainHead('nobody'), ZEROS)
    assert.equal(verifyChain([], head), 0)
  })

  test('in which every change is found', (t) => {
    const random = seeded(t)
    const changes = [
      (receipt) => ({ ...receipt, reward: 'other' }),
      (receipt) => ({ ...receipt, ts: receipt.ts + 1 }),
      (receipt) => ({ ...receipt, items: [{ ...receipt.items[0], amount: receipt.items[0].amount + 1 }] }),
      (receipt) => ({ ...receipt, claimUntil: (receipt.claimUntil ?? 0) + 1 }),
      (receipt) => ({ ...receipt, rules: ZEROS }),
      (receipt) => ({ ...receipt, cause: { ...receipt.cause, origin: 'operator' } })
    ]
    for (let round = 0; round < 40; round++) {
      const place = random.below(receipts.length)
      const forged = receipts.map((receipt, at) => at === place ? random.pick(changes)(receipt) : receipt)
      assert.equal(verifyChain(forged, head), receipts[place].number)
      if (place > 0) assert.equal(verifyChain(receipts.toSpliced(place, 1), head), receipts[place - 1].number)
    }
    const settled = receipts.map((receipt) => receipt.state === 'claimable' ? { ...receipt, state: 'claimed', settledAt: NOW_MS } : receipt)
    assert.equal(verifyChain(settled, head), null, 'states are no part of it')
  })

  test('that are none are refused with their path', () => {
    const [first] = receipts
    for (const [bad, path, code] of [
      [{ ...first, number: -1 }, '/0/number', 'out_of_range'],
      [{ ...first, number: '1' }, '/0/number', 'wrong_type'],
      [{ ...first, id: '00' }, '/0/id', 'invalid_format'],
      [{ ...first, items: [{ ...first.items[0], amount: 0 }] }, '/0/items/0/amount', 'out_of_range'],
      [{ ...first, ts: 1.5 }, '/0/ts', 'wrong_type'],
      [{ ...first, state: 'lost' }, '/0/state', 'invalid_format'],
      [{}, '/0/cause', 'missing'],
      [null, '/0', 'wrong_type']
    ]) {
      const refused = (error) => {
        assert.ok(error instanceof ValidationError, error.stack)
        assert.deepEqual([error.code, error.issues[0].path, error.issues[0].code], [code, path, code])
        return true
      }
      assert.throws(() => verifyChain([bad], head), refused)
      if (bad !== null) assert.throws(() => receiptHash(bad), refused)
    }
    for (const text of ['', '[', '{}', '[1', '\ufeff[]', `${'['.repeat(100_000)}`]) assert.throws(() => verifyChain(text, head), ValidationError)
    const loop = { ...first }
    loop.scope = loop
    for (const none of [undefined, null, 7, {}, new Set(receipts), [undefined], [() => 1], [NaN], [loop], [{ ...first, reward: '\ud800' }], [{ ...first, ts: 2n ** 64n }], new Uint16Array(2)]) {
      assert.throws(() => verifyChain(none, head), wrong)
    }
    for (const none of [undefined, null, '', 7, 'x'.repeat(64), head.slice(1)]) assert.throws(() => verifyChain(receipts, none), wrong)
    for (const none of [undefined, null, 7, 'r', receipts]) {
      for (const call of [receiptHash, receiptState, (receipt) => signReceipt([], receipt)]) assert.throws(() => call(none), (error) => error.code === 'invalid_argument' || error instanceof SignatureError)
    }
    const mine = { get number () { throw new SyntaxError('mine') } }
    assert.throws(() => receiptHash(mine), { name: 'SyntaxError', message: 'mine' })
  })

  test('are signed by the key of their own time', () => {
    const [old, fresh] = [generateSecret(), generateSecret()]
    const ring = [{ id: '2025', secret: old, notAfter: NOW_MS }, { id: '2026', secret: fresh, notBefore: new Date(NOW_MS) }]
    const [receipt] = receipts
    const signature = signReceipt(ring, receipt)
    assert.match(signature, /^v1,[0-9a-f]{64},2026$/)
    assert.deepEqual(verifyReceipt(ring, receipt, signature), { keyId: '2026' })
    assert.deepEqual(verifyReceipt(ring, { ...receipt, state: 'revoked', settledAt: NOW_MS }, signature), { keyId: '2026' })
    assert.match(signReceipt(ring, { ...receipt, ts: NOW_MS - 1 }), /,2025$/)
    const refused = (keys, shown, signature, code) => assert.throws(() => verifyReceipt(keys, shown, signature), (error) => error instanceof SignatureError && error.code === code, code)
    refused(ring, { ...receipt, number: 9 }, signature, 'signature_mismatch')
    refused([{ id: '2026', secret: old }], receipt, signature, 'signature_mismatch')
    refused([ring[0]], receipt, signature, 'unknown_key')
    refused(ring, receipt, signature.replace('v1', 'v2'), 'malformed_header')
    refused(ring, receipt, '', 'malformed_header')
    assert.throws(() => signReceipt(fresh, receipt), { name: 'SignatureError', code: 'unknown_key' }, 'a secret without a name')
    assert.throws(() => signReceipt(undefined, receipt), { name: 'SignatureError', code: 'secret_invalid' })
    assert.throws(() => verifyReceipt(ring, receipt, 7), wrong)
  })
})

describe('what an engine rolled, and what waits', () => {
  const seed = randomBytes(32)
  const chest = { pity: { entry: 'a', guaranteedAt: 6 }, entries: { a: { weight: 3, grant: gold(1) }, b: { weight: 7, grant: gold(2) } } }
  const document = { version: 1, game: 'luck', loot: { chest }, rewards: { drop: { on: { event: 'progression' }, loot: 'chest' } } }
  const lucky = Rules.fromJson(JSON.stringify(document), { lootSeed: seed })

  test('receipts say how they were rolled, and anyone can check it', () => {
    const engine = new Engine(lucky)
    assert.equal(lucky.lootCommitment, seedCommitment(seed))
    for (let n = 0; n < 20; n++) engine.submitNdjson(event(`e${n}`, 'ana', 1), at)
    const receipts = engine.receipts('ana')
    const table = lucky.loot('chest')
    const proof = { seed, commitment: lucky.lootCommitment, player: 'ana' }
    assert.ok(receipts.every((receipt) => table.verifyReceipt({ ...proof, receipt })))
    assert.deepEqual(receipts.map(({ roll }) => roll.nonce - receipts[0].roll.nonce), receipts.map((_, index) => index))
    assert.ok(!table.verifyReceipt({ ...proof, seed: randomBytes(32), receipt: receipts[0] }))
    assert.ok(receipts.some((receipt) => !table.verifyReceipt({ ...proof, player: 'bo', receipt })))
    const { roll, ...without } = receipts[0]
    assert.ok(!table.verifyReceipt({ ...proof, receipt: without }))
    assert.notEqual(receiptHash(receipts[0]), receiptHash(without), 'the roll is part of the chain')
    assert.equal(verifyChain([{ ...receipts[0], roll: { ...roll, misses: 5 } }, ...receipts.slice(1)], engine.chainHead('ana')), 1)
    assert.throws(() => table.verifyReceipt({ ...proof }), TypeError)
  })

  test('every change of a roll breaks chain, signature and proof', () => {
    const engine = new Engine(lucky)
    engine.submitNdjson([event('e1', 'ana', 1), event('e2', 'ana', 1)].join('\n'), at)
    const [receipt, newest] = engine.receipts('ana')
    const { roll } = receipt
    assert.deepEqual({ ...roll, entry: undefined }, { table: 'chest', entry: undefined, nonce: NOW_MS, misses: 0 }, 'the first nonce is the time')
    assert.deepEqual([newest.roll.nonce, Object.isFrozen(roll)], [NOW_MS + 1, true])
    const ring = [{ id: '2026', secret: generateSecret() }]
    const signature = signReceipt(ring, receipt)
    const proof = { seed, commitment: lucky.lootCommitment, player: 'ana' }
    const table = lucky.loot('chest')
    assert.equal(verifyChain(JSON.stringify([receipt, newest]), engine.chainHead('ana')), null)
    for (const forged of [{ table: 'other' }, { entry: roll.entry === 'a' ? 'b' : 'a' }, { nonce: roll.nonce + 1 }, { misses: 5 }]) {
      const shown = { ...receipt, roll: { ...roll, ...forged } }
      assert.notEqual(receiptHash(shown), receiptHash(receipt), JSON.stringify(forged))
      assert.equal(verifyChain([shown, newest], engine.chainHead('ana')), 1)
      assert.throws(() => verifyReceipt(ring, shown, signature), { code: 'signature_mismatch' })
    }
    assert.ok(!table.verifyReceipt({ ...proof, receipt: { ...receipt, roll: { ...roll, entry: roll.entry === 'a' ? 'b' : 'a' } } }))
    assert.ok(!table.verifyReceipt({ ...proof, receipt: { ...receipt, items: [gold(9)] } }), 'it gives what the receipt gives')
    assert.ok(!table.verifyReceipt({ ...proof, commitment: ZEROS, receipt }))
    assert.ok(!table.verifyReceipt({ ...proof, receipt: played().effect.receipts[0] }), 'what was not rolled')
    assert.ok(table.verifyReceipt({ ...proof, receipt: { ...receipt, state: 'revoked', settledAt: NOW_MS } }), 'whatever became of it')
  })

  test('what is no proof is refused', () => {
    const engine = new Engine(lucky)
    const [receipt] = engine.submitNdjson(event('e1', 'ana', 1), at).at(0).unwrap().receipts
    const proof = { seed, commitment: lucky.lootCommitment, player: 'ana', receipt }
    const table = lucky.loot('chest')
    for (const [change, error] of [
      [{ seed: seed.subarray(1) }, wrong], [{ seed: 'x'.repeat(32) }, { name: 'TypeError' }], [{ commitment: '00' }, wrong], [{ commitment: undefined }, wrong],
      [{ player: 'a b' }, { code: 'id_invalid' }], [{ player: 7 }, { name: 'TypeError' }], [{ nonce: 1 }, { name: 'TypeError', message: /no member "nonce"/ }],
      ...[undefined, null, 7, 'r', [receipt]].map((none) => [{ receipt: none }, wrong]),
      [{ receipt: receipt.roll }, { name: 'ValidationError' }], [{ receipt: {} }, { name: 'ValidationError' }]
    ]) {
      assert.throws(() => table.verifyReceipt({ ...proof, ...change }), error, JSON.stringify(change))
    }
    for (const none of [undefined, null, 7, 'r']) assert.throws(() => table.verifyReceipt(none), wrong)
    const { roll } = receipt
    for (const [bad, path, code] of [
      [7, '', 'wrong_type'], [{ ...roll, misses: undefined }, '/misses', 'missing'], [{ ...roll, misses: 2 ** 32 }, '/misses', 'out_of_range'],
      [{ ...roll, nonce: -1 }, '/nonce', 'out_of_range'], [{ ...roll, entry: 'a b' }, '/entry', 'id_invalid'], [{ ...roll, table: null }, '/table', 'missing']
    ]) {
      const written = JSON.stringify([{ ...receipt, roll: bad }])
      assert.throws(() => verifyChain(written, ZEROS), (error) => error instanceof ValidationError && error.issues[0].path === `/0/roll${path}` && error.code === code, written)
    }
  })

  test('an engine keeps its seed when rules are replaced', () => {
    const engine = new Engine(lucky)
    engine.replaceRules(Rules.fromJson(JSON.stringify(document)))
    engine.submitNdjson(event('after', 'ana', 1), at)
    const [receipt] = engine.receipts('ana')
    assert.ok(lucky.loot('chest').verifyReceipt({ seed, commitment: lucky.lootCommitment, player: 'ana', receipt }))
  })

  test('unless the new ones have their own; a snapshot has none', () => {
    const written = JSON.stringify(document)
    const [bare, other] = [Rules.fromJson(written), Rules.fromJson(written, { lootSeed: randomBytes(32) })]
    assert.equal(bare.lootCommitment, null, 'rolls follow from the game: there is nothing to commit to')
    assert.deepEqual([bare, other, lucky].map((rules) => rules.warnings().map(({ path, code }) => [path, code])), [[['/loot', 'foreseeable']], [], []])
    assert.match(other.lootCommitment, /^[0-9a-f]{64}$/)
    assert.notEqual(other.lootCommitment, lucky.lootCommitment)
    assert.equal(lucky.hash, bare.hash, 'a seed is no part of the document')
    const engine = new Engine(lucky)
    engine.replaceRules(other)
    engine.replaceRules(bare)
    /** Whether what is rolled is proved by what was published. */
    const rolls = (engine, commitment, seed) => {
      const sent = Array.from({ length: 20 }, (_, n) => event(`r${n}`, `p${n}`, 1))
      return [...engine.submitNdjson(sent.join('\n'), at)].every((outcome, n) => bare.loot('chest').verifyReceipt({ seed, commitment, player: `p${n}`, receipt: outcome.unwrap().receipts[0] }))
    }
    assert.ok(!rolls(engine, lucky.lootCommitment, seed), 'the newest seed stays')
    assert.ok(!rolls(Engine.restore(bare, new Engine(lucky).snapshot()), lucky.lootCommitment, seed))
    assert.ok(rolls(Engine.restore(lucky, new Engine(bare).snapshot()), lucky.lootCommitment, seed))
  })

  test('whoever is erased and comes back meets other rolls', () => {
    const engine = new Engine(lucky)
    const nonceOf = (id, nowMs) => engine.submitNdjson(event(id, 'ana', 1, { ts: nowMs / 1000 }), { nowMs }).at(0).unwrap().receipts[0].roll.nonce
    assert.equal(nonceOf('e1', NOW_MS), NOW_MS)
    engine.submit(Command.erase({ id: 'x1', player: 'ana', nowMs: NOW_MS + 1000 })).unwrap()
    assert.equal(nonceOf('e2', NOW_MS + 2000), NOW_MS + 2000)
  })

  test('what waits is listed until its time is over', () => {
    const { engine, effect } = played()
    const { claimUntil } = effect.claimable[0]
    assert.deepEqual(engine.claimable('ana', at), effect.claimable)
    assert.deepEqual(engine.claimable('ana', { now: new Date(NOW_MS) }), effect.claimable)
    assert.ok(Object.isFrozen(engine.claimable('ana', at)[0]))
    assert.equal(engine.claimable('ana', { nowMs: claimUntil - 1 }).length, 1)
    assert.deepEqual([engine.claimable('ana', { nowMs: claimUntil }), engine.claimable('nobody', at)], [[], []])
    assert.deepEqual(engine.claimable('ana'), Date.now() < claimUntil ? effect.claimable : [], 'without a time it is what the clock says')
    assert.throws(() => engine.claimable('a b', at), { code: 'id_invalid' })
    for (const args of [[], [7, at], ['ana', 7], ['ana', { nowMs: 1.5 }], ['ana', { nowMs: 1, now: new Date(1) }], ['ana', { later: 1 }]]) {
      assert.throws(() => engine.claimable(...args), wrong, JSON.stringify(args))
    }
  })

  test('time to claim counts from the decision', () => {
    const engine = new Engine(waiting)
    const sent = NOW_MS - 2 * HOUR_MS
    const [promised] = engine.submitNdjson(event('e1', 'ana', 1, { ts: sent / 1000 }), at).at(0).unwrap().claimable
    assert.deepEqual([promised.ts, promised.claimUntil], [sent, NOW_MS + HOUR_MS])
    const last = { nowMs: NOW_MS + HOUR_MS - 1 }
    assert.deepEqual(engine.claimable('ana', last), [promised])
    assert.equal(engine.submit(Command.claim({ player: 'ana', receipt: promised, ...last })).status, 'applied')
  })

  test('what waits is kept for its time, when others of its age are trimmed', () => {
    const few = rules({ rewards: { ...DOCUMENT.rewards, present: { ...REWARDS.present, on: { level: 2 } } }, retention: { receiptsPerPlayer: 2 } })
    const engine = new Engine(few)
    const [promised] = engine.submitNdjson(event('e1', 'ana', 120), at).at(0).unwrap().claimable
    engine.submitNdjson(event('e2', 'ana', 500), at).at(0).unwrap()
    const kept = engine.receipts('ana')
    assert.ok(kept.length === 2 && promised.number < kept[0].number)
    for (const one of [engine, Engine.restore(few, engine.snapshot())]) assert.deepEqual(one.claimable('ana', at), [promised])
    assert.deepEqual(engine.exportPlayer('ana').receipts, [promised, ...kept])
    assert.equal(verifyChain(kept, engine.chainHead('ana')), null)
    const claim = (nowMs) => engine.submit(Command.claim({ player: 'ana', receipt: promised, nowMs }))
    assert.equal(claim(NOW_MS).unwrap().receipts[0].state, 'claimed')
    assert.deepEqual(engine.claimable('ana', at), [])
    assert.equal(claim(NOW_MS).status, 'replayed')
    assert.equal(claim(NOW_MS + 1).code, 'receipt_unknown', 'nothing keeps it any more')
  })

  test('a total on a curve that rules do not know is refused until they do', () => {
    const curve = (base) => ({ kind: 'linear', base, step: 0, maxLevel: 50 })
    const of = (base, ...left) => Rules.fromJson(JSON.stringify({
      version: 1,
      game: 'curves',
      progress: { curve: curve(base), migrations: left.map((from) => ({ from: curve(from), policy: 'keepTotalXp', levelRewards: 'skip' })) }
    }))
    const engine = new Engine(of(10))
    engine.submitNdjson(event('e1', 'ana', 25), at)
    engine.replaceRules(of(100, 10))
    engine.submitNdjson(event('e2', 'ana', 25), at)
    assert.equal(engine.planMigration(of(10)).unknown, 1)
    engine.replaceRules(of(10))
    const digest = engine.digest()
    const [outcome] = engine.submitNdjson(event('e3', 'ana', 25), at)
    const orders = [Command.adjust({ id: 'a1', player: 'ana', xp: 5, reason: 'r', ...at }), Command.migrate({ player: 'ana', curve: of(10).curve, version: 2, ...at })]
    for (const { status, code, httpStatus, effect, error, ...refused } of [outcome, ...engine.submitBatch(orders)]) {
      assert.deepEqual([status, code, effect, refused], ['refused', 'curve_unknown', null, {}])
      assert.ok(error instanceof Refusal)
      assert.deepEqual([error.code, error.httpStatus, error.retryAfter, error.problem().status], ['curve_unknown', 503, null, 503])
    }
    assert.throws(() => outcome.unwrap(), { name: 'Refusal', message: /list it in their migrations/ })
    assert.deepEqual([outcome.httpStatus, outcome.toJSON().problem.code], [503, 'curve_unknown'])
    assert.deepEqual([engine.digest(), [...engine.migrations(at)], engine.stats()['refused.curve_unknown']], [digest, [], 3])
    assert.deepEqual([engine.planMigration(of(10, 100)).unknown, engine.planMigration(of(10, 7)).unknown], [0, 1])
    engine.replaceRules(of(10, 100))
    const [again] = engine.submitNdjson(event('e3', 'ana', 25), at)
    assert.equal(again.code, 'applied')
  })

  test('suspicions are exported with their reasons in words', () => {
    const engine = new Engine(rules({ detectors: { cheats: { kind: 'family', floors: { hydra: 45_000 }, action: 'hold' } } }))
    const kill = { id: 'k1', type: 'boss_kill', playerId: 'ana', ts: NOW_MS / 1000, payload: { bossId: 'hydra', durationMs: 9_000 } }
    const [outcome] = engine.submitNdjson(JSON.stringify(kill), at)
    assert.equal(outcome.code, 'held')
    const [line] = engine.suspicionsNdjson().trimEnd().split('\n').map((line) => JSON.parse(line))
    assert.equal(line.playerId, 'ana')
    assert.deepEqual(line.sentences, ['The duration is shorter than the rules hold possible, which is 45 s.'])
  })
})

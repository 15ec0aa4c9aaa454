// Types of progression, loot and receipts at work: `tsc --strict` passes on this, without @types/node. It is never run.

import {
  Command, Engine, LevelCurve, Loot, Overflow, Progression, Rules, Streak, migrateXp, planMigration, receiptHash, receiptId, receiptState, seedCommitment,
  signReceipt, verifyChain, verifyReceipt,
  type Boost, type CommandContent, type Effect, type Explanation, type Grant, type Item, type Key, type MigrationForecast, type MigrationPlan,
  type MigrationPolicy, type PlayerXp, type Receipt, type Remainder, type ReceiptState, type Roll, type RollProof, type RulesDiff, type RulesWarning, type Scope
} from 'liveops'

const now = new Date()
const curve = LevelCurve.polynomial(['0', '0', '0', '1/50'], { cumulative: true, maxLevel: 15, rounding: 'nearest', times: { coefficients: ['73/3', '1/3'], rounding: 'floor' } })
export const costs: readonly number[] = curve.costs()
export const totals: number[] = [...curve.totals()]
export const levels: readonly number[] = curve.gained(0n, 100)
const written = LevelCurve.fromRules({ kind: 'table', totals: [0, 300], cumulative: true })
const whole = LevelCurve.piecewise([[1, written], [3n, LevelCurve.table([900], { cumulative: true })]], { cumulative: true })

const weekend: Boost = { id: 'weekend', from: now, until: now.getTime() + 1, factor: '4/3' }
const progression = new Progression(whole, { atMaxLevel: 'convert', dailyXpCap: 500n, boosts: [weekend], boostStacking: 'highest' })
export const grant: Grant = progression.grant(0, 10, { grantedToday: 5, now })
const carried: { readonly grant: Grant; readonly remainders: readonly Remainder[] } = progression.settle(0, 10, { losses: 2n, now })
export const next: Grant = progression.settle(0, 10, { remainders: carried.remainders, now }).grant
export const zero = new Progression(whole, { floor: 'zero' }).grant(5, 0, { losses: 3, now }).taken
export const day: number | null = new Streak({ lastDay: 1, length: 1 }).step(2, { missedDaysMax: 1 }).day
export const units: number = new Overflow().gather(10, 5).units

const policy: MigrationPolicy = { policy: 'keepEffort', neverLoseALevel: true, skipRewards: false }
export const moved: PlayerXp = migrateXp(curve, whole, policy, { xp: 100n })
export const plan: MigrationPlan = planMigration(curve, whole, policy, new Set([1, { xp: 2, grantedThrough: 1, players: 3 }]))

const rules = Rules.fromJson('{"version": 1, "game": "quests"}')
const engine = new Engine(rules)
export const forecast: MigrationForecast = engine.planMigration(rules)
export const refused: number = forecast.unknown
export const diff: RulesDiff = engine.replaceRules(rules)
export const leads: boolean | undefined = diff.levelCurve?.migrates
export const codes: string[] = Array.from(engine.submitBatch(engine.migrations({ now })), ({ effect }) => `${effect?.migrated?.toLevel}`)
export const everybody: string[] = Array.from(engine.players(), ({ playerId }) => playerId)
export const why: Explanation | null = engine.explain('ana', { now })
export const lastDay: number | undefined = engine.player('ana')?.streaks?.['daily']?.lastDay
export const rest: number | undefined = engine.player('ana')?.overflow?.rest

/** What waits, claimed, and taken back again. */
export function back (effect: Effect): CommandContent[] {
  const [receipt]: readonly Receipt[] = effect.claimable ?? effect.receipts
  if (receipt === undefined) return []
  const claim = Command.claim({ player: 'ana', receipt, now })
  const revoke = Command.revoke({ id: 'ticket-9', player: 'ana', receipt: { number: 1n, id: receipt.id }, reason: 'bought back' })
  return [claim, revoke, Command.migrate({ player: 'ana', curve, version: 1 }), Command.migrate({ player: 'ana', curve: curve.hash, version: 1, nowMs: 1 })].map((command) => command.toJSON())
}

const seed = new Uint8Array(32)
const chest = new Loot({ entries: [{ name: 'crown', weight: 1n, items: [{ kind: 'item', id: 'crown', amount: 1 }] }], pity: { entry: 'crown', guaranteedAt: 3 } })
const roll: Roll = chest.roll({ seed, table: 'chest', player: 'ana', nonce: 0 })
export const honest: boolean = chest.verifyRoll({ seed, commitment: seedCommitment(seed), table: 'chest', player: 'ana', roll })
export const items: readonly Item[] | null | undefined = rules.loot('chest')?.items(roll.entry)
export const average: string | null = Loot.fromRules({ entries: { crown: { weight: 1 } } }).expectedRolls('crown')

const seeded = Rules.fromJson('{"version": 1, "game": "quests"}', { lootSeed: seed })
export const warned: readonly RulesWarning[] = seeded.warnings().filter(({ code }) => code !== 'foreseeable')
export const published: string = seeded.lootCommitment ?? seedCommitment(seed)
export const waiting: readonly Receipt[] = engine.claimable('ana', { now }).concat(engine.claimable('ana'))
/** What an engine rolled. */
export function proved (receipt: Receipt): boolean {
  const how: RollProof | undefined = receipt.roll
  return how !== undefined && seeded.loot(how.table)?.verifyReceipt({ seed, commitment: published, player: 'ana', receipt }) === true
}

const scope: Scope = { streak: { streak: 'daily', day: 20_764 } }
export const name: string = receiptId({ game: 'quests', player: 'ana', reward: 'present', scope })
const ring: Key[] = [{ id: '2026', secret: 'whsec_...' }]
/** What is checked of receipts. */
export function checked (receipts: readonly Receipt[]): [number | null, number | null, string[], ReceiptState[], string[]] {
  const keys = receipts.map((receipt) => verifyReceipt(ring, receipt, signReceipt(ring, receipt)).keyId)
  const states = receipts.map((receipt) => receiptState(receipt, { now }))
  const head = engine.chainHead('ana')
  return [verifyChain(receipts, head), verifyChain(JSON.stringify(receipts), head), receipts.map(receiptHash), states, keys]
}

// What the types refuse.
// @ts-expect-error coefficients are texts
LevelCurve.polynomial([0, 1], { maxLevel: 3 })
// @ts-expect-error only a polynomial is multiplied
LevelCurve.linear(1, 1, { maxLevel: 3, times: { coefficients: ['1'] } })
// @ts-expect-error one of three
new Progression(curve, { atMaxLevel: 'burn' })
// @ts-expect-error a factor is a text
new Progression(curve, { boosts: [{ ...weekend, factor: 1.5 }] })
// @ts-expect-error a policy says what is kept
migrateXp(curve, whole, { neverLoseALevel: true }, 1)
// @ts-expect-error players are many
planMigration(curve, whole, policy, 1)
// @ts-expect-error a claim has the id that follows from it
Command.claim({ id: 'mine', player: 'ana', receipt: { number: 1, id: '' } })
// @ts-expect-error why it is taken back
Command.revoke({ id: 'ticket-9', player: 'ana', receipt: { number: 1, id: '' } })
// @ts-expect-error a seed is bytes
seedCommitment('secret')
// @ts-expect-error which roll
chest.roll({ seed, table: 'chest', player: 'ana' })
// @ts-expect-error whose it is
chest.verifyReceipt({ seed, commitment: published, receipt: waiting[0]! })
// @ts-expect-error a receipt may have no roll
waiting[0]!.roll.nonce
// @ts-expect-error a time is named
engine.claimable('ana', now)
// @ts-expect-error a commitment is read
seeded.lootCommitment = ''
// @ts-expect-error a secret without a name signs no receipts
signReceipt('whsec_...', engine.receipts('ana')[0])
// @ts-expect-error a table may be missing
rules.loot('chest').odds()
// @ts-expect-error a streak never changes
new Streak().length = 3

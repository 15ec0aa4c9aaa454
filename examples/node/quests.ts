// Types at work: `tsc --strict` passes on this, without @types/node.

import {
  Archive, Calendar, Command, Engine, EventParser, Intake, LevelCurve, Leaderboard, Names, Quota, RateLimiter, Refusal, Rules, SignatureError, Signer,
  SlidingLimiter, ValidationError, Verifier, WindowedLeaderboard, awards, gcra, generateSecret,
  type Award, type BatchReport, type Cursor, type Decision, type Effect, type Event, type IntakeRequest, type Page, type Row, type Tier
} from 'liveops'

const rules = Rules.fromJson(JSON.stringify({
  version: 1,
  game: 'quests',
  boards: { xp: { value: 'grantedXp', keepPeriods: { weekly: 4 } } }
}))
const engine = new Engine(rules, { feed: 1_000 })
const secret = generateSecret()
const intake = new Intake(rules, { secret })

/** What a server does with a request. */
export function receive (headers: Record<string, string | string[] | undefined>, body: Uint8Array | string): Effect | Refusal {
  try {
    return engine.submit(intake.admit(headers, body)).unwrap()
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}

const now = new Date()
const body = JSON.stringify({ type: 'progression', playerId: 'ana', ts: Math.floor(now.getTime() / 1000), payload: { deltaXp: 120 } })
const effect = receive({ ...new Signer(secret).sign('quest-1', body, { now }) }, body)
export const level: number = effect instanceof Refusal ? effect.httpStatus : effect.level

engine.submit(Command.adjust({ id: 'ticket-7', player: 'ana', xp: -20n, reason: 'counted twice', now }))
const rows: readonly Row[] = engine.board('xp').top('weekly', 10, { now })
export const first: string | undefined = rows[0]?.playerId

const laps = new Leaderboard({ order: 'asc', operator: 'best' })
laps.submit('ana', 61_200)
export const rank: number | null = laps.rank('ana')
export const cost: number = LevelCurve.exponential(250, '1.2', { maxLevel: 60 }).cost(4)

laps.submitBatch(['bo', 'cy'], new BigInt64Array([60_000n, 62_000n]), [0, 1n])
const { rows: fastest, next }: Page = laps.pageAfter(null, 2)
export const behind: Cursor | null = next
export const names: string[] = Array.from(laps, (row) => row.playerId)
export const ahead: number | null = Leaderboard.restore(laps.snapshot()).percentile('bo')

const tiers: Tier[] = [{ tier: 'gold', ranks: [1, 1] }, { tier: 'top-half', percent: '50' }]
export const won: readonly Award[] = awards(fastest, tiers)
const periods = new WindowedLeaderboard({ name: 'xp', capacity: 1_000, windows: { weekly: 4 } })
periods.submitBatch(['ana'], [120], { now, ts: now, subscores: [1] })
export const late: readonly Award[] = periods.payout('weekly', tiers, { now: new Date(now.getTime() + 604_800_000), earlier: 1 })

/** What is kept of a finished week, and what became of paying it. */
export function close (week: number): string[] {
  const period = { window: 'weekly', index: week } as const
  const { archive, names } = engine.board('xp').archive(period)
  const kept = Archive.fromBytes(archive.toBytes()).read(Names.fromBytes(names.toBytes()), { hiding: ['bo'] })
  const { awards, holds } = engine.payout('xp', period)
  const paid = engine.submitBatch(engine.payoutArchived(archive, names, { now }).commands())
  return [`${kept.length} ${awards.length} ${holds.length}`, ...Array.from(paid, (outcome) => outcome.code)]
}

const sydney = new Calendar({ utcOffsetMinutes: 660, utcOffsetChanges: [{ from: '2026-04-04T16:00:00Z', minutes: 600 }] })
export const closed: string[] = Array.from(sydney.closedBetween(['daily', 'weekly'], 0, now), ({ label }) => label)
export const today: number | null | undefined = sydney.period('daily', now)?.closesAt

const messages = [[new Signer(secret).sign('quest-2', body, { now }), body], [new Map([['webhook-id', 'x']]), new ArrayBuffer(8)]] as const
export const seen: string[] = Array.from(new Verifier([{ id: '2026', secret, notBefore: now }], { bodyBytesMax: 1_000_000 }).verifyBatch(messages, { now }),
  (answer) => answer instanceof SignatureError ? answer.code : answer.keyId ?? 'unnamed')

const requests: IntakeRequest[] = [{ headers: { 'idempotency-key': 'quest-3' }, body, address: undefined, trustedPlayer: 'ana' }]
export const taken: Command[] = intake.admitBatch(requests, { now }).filter((answer) => answer instanceof Command)

const parser = new EventParser({ rules, firstIssue: true })
/** Where a body is wrong; the event if it is not. */
export function read (body: Uint8Array): Event | string {
  try {
    return parser.parse(body, { now })
  } catch (error) {
    if (error instanceof ValidationError) return error.issues.map(({ path, offset }) => `${path} ${offset ?? ''}`).join()
    throw error
  }
}
export const report: Promise<BatchReport> = parser.validateBatchAsync(body)
export const wrong: number | undefined = parser.validateBatch(body).errors[0]?.line

const perPlayer = new Quota({ limit: 60, periodSeconds: 60, burst: 10 })
const limiter = new RateLimiter({ ...perPlayer, capacity: 1_000, whenFull: 'admit' })
export const allowed: Decision = limiter.checkAll([[perPlayer, 'ana'], [{ limit: 5, periodMillis: 500 }, 'ip']], { cost: 2 }).and(limiter.check('ana'))
export const state: number | null = gcra(null, perPlayer, { now }).state
export const told: string = new SlidingLimiter({ limit: 5, windowSeconds: 60 }).check('ana').policyHeader('player')

// What the types refuse.
// @ts-expect-error a trusted player is named or left out
intake.admit({}, body, { trustedPlayer: undefined })
// @ts-expect-error one player or all, not both
intake.admitBatch([{ headers: {}, body, trusted: true, trustedPlayer: 'ana' }])
// @ts-expect-error a quota has a period
new Quota({ limit: 60 })
// @ts-expect-error seconds or milliseconds, not both
new Quota({ limit: 60, periodSeconds: 60, periodMillis: 60_000 })
// @ts-expect-error null for a new key
gcra(undefined, perPlayer)
// @ts-expect-error a parsed body has lost the bytes that were signed
new Verifier(secret).verify({}, { type: 'progression' })
// @ts-expect-error answers may be errors
new Verifier(secret).verifyBatch([])[0].messageId
// @ts-expect-error a growth is a text
LevelCurve.exponential(250, 1.2)
// @ts-expect-error one of the windows
engine.board('xp').top('hourly', 10)
// @ts-expect-error an Intake admits events; a parsed body is none
engine.submit({ type: 'progression' })
// @ts-expect-error nowMs or now, not both
engine.advance({ nowMs: 1, now })
// @ts-expect-error a change has its minutes
new Calendar({ utcOffsetMinutes: 60, utcOffsetChanges: [{ from: '2026-04-04T16:00:00Z' }] })
// @ts-expect-error ranks or a percentage, not both
awards(fastest, [{ tier: 'gold', ranks: [1, 1], percent: '10' }])
// @ts-expect-error a percentage is a text
laps.awards([{ tier: 'gold', percent: 10 }])
// @ts-expect-error a cursor is a text
laps.pageAfter(2)
// @ts-expect-error a board by calendar has windows
new WindowedLeaderboard({ name: 'xp' })
// @ts-expect-error scores are whole numbers
laps.submitBatch(['ana'], ['1'])
// @ts-expect-error an archive comes from a board
new Archive()
// @ts-expect-error results are frozen
rows[0].score = 1

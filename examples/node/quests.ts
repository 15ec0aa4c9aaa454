// Types at work: `tsc --strict` passes on this, without @types/node.

import {
  Calendar, Command, Engine, Intake, LevelCurve, Leaderboard, Refusal, Rules, Signer, generateSecret, type Effect, type Row
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

const sydney = new Calendar({ utcOffsetMinutes: 660, utcOffsetChanges: [{ from: '2026-04-04T16:00:00Z', minutes: 600 }] })
export const closed: string[] = Array.from(sydney.closedBetween(['daily', 'weekly'], 0, now), ({ label }) => label)
export const today: number | null | undefined = sydney.period('daily', now)?.closesAt

// What the types refuse.
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
// @ts-expect-error results are frozen
rows[0].score = 1

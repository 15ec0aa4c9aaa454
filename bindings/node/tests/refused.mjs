// What the vectors of kind `arguments` make, in JavaScript's words.

import assert from 'node:assert/strict'
import {
  AlertBudget, Calendar, Command, Cusum, DropRate, Engine, Ewma, Family, Intake, Leaderboard, LevelCurve, Loot, Progression, Quota, RateLimiter, Regularity, Robust,
  Rules, Secret, Signer, SlidingLimiter, SlidingLog, TimeFloor, Verifier, WindowedLeaderboard, ZScore, generateSecret, migrateXp, receiptId
} from '../index.mjs'

const rules = Rules.fromJson('{"version": 1, "game": "vectors"}')
const time = (ms) => new Date(ms).toISOString().replace('.000Z', 'Z')
const curveOptions = ({ maxLevel, cumulative, rounding }) => ({ maxLevel, cumulative, rounding })
/** A table, or a line. */
const pieceOf = (values, options) => Array.isArray(values) ? LevelCurve.table(values, options) : LevelCurve.linear(values.base, values.step, { ...options, maxLevel: values.maxLevel })
const ringOf = (ids) => ids?.map((id) => ({ id, secret: generateSecret() }))
const priorOf = (prior) => prior && { mean: prior[0], sd: prior[1], weight: prior[2] }
const itemsOf = (items) => items.map(([kind, id, amount]) => ({ kind, id, amount }))
const detector = ({ threshold, span, prior }) => ({ ...threshold !== undefined && { threshold }, ...span !== undefined && { span }, ...prior && { prior: priorOf(prior) } })

const MAKERS = {
  leaderboard: (given) => new Leaderboard(given),
  windowed: (given) => new WindowedLeaderboard(given),
  calendar: ({ utcOffsetChanges: changes, seasons, ...given }) => new Calendar({
    ...given,
    ...changes && { utcOffsetChanges: changes.map(([ms, minutes]) => ({ from: time(ms), minutes })) },
    ...seasons && { seasons: { table: seasons.map(([label, from, until]) => ({ label, from: time(from), until: time(until) })) } }
  }),
  linear: (given) => LevelCurve.linear(given.base, given.step, curveOptions(given)).costs(),
  exponential: (given) => LevelCurve.exponential(given.base, given.growth, curveOptions(given)).costs(),
  polynomial: (given) => LevelCurve.polynomial(given.coefficients, { ...curveOptions(given), ...given.times && { times: { coefficients: given.times } } }).costs(),
  table: (given) => LevelCurve.table(given.values, curveOptions(given)).costs(),
  piecewise: (given) => LevelCurve.piecewise(given.pieces.map(([from, values, cumulative]) => [from, pieceOf(values, { cumulative })]), curveOptions(given)).costs(),
  progression: ({ boosts = [], ...given }) => new Progression(LevelCurve.table([100]), { ...given, boosts: boosts.map(([id, from, until, factor]) => ({ id, from, until, factor })) }),
  loot: ({ entries, pity }) => new Loot({
    entries: entries.map(([name, weight, items]) => ({ name, weight, items: itemsOf(items) })),
    ...pity && { pity: { entry: pity[0], guaranteedAt: pity[1] } }
  }),
  tiers: ({ tiers }) => new Leaderboard().awards(tiers),
  quota: (given) => new Quota(given),
  rateLimiter: (given) => new RateLimiter(given),
  slidingLimiter: (given) => new SlidingLimiter(given),
  slidingLog: (given) => new SlidingLog(given),
  secret: ({ whsec, hex, short }) => whsec !== undefined ? Secret.parse(whsec) : short ? Secret.short(Buffer.from(hex, 'hex')) : Secret.fromBytes(Buffer.from(hex, 'hex')),
  verifier: ({ keys, ...given }) => new Verifier(ringOf(keys), given),
  signer: ({ keys, ...given }) => new Signer(ringOf(keys), given),
  intake: ({ keys, ...given }) => new Intake(rules, { ...given, keys: ringOf(keys) }),
  zScore: (given) => new ZScore(detector(given)),
  ewma: (given) => new Ewma(detector(given)),
  robust: (given) => new Robust(detector(given)),
  cusum: (given) => new Cusum(detector(given)),
  timeFloor: (given) => new TimeFloor(given),
  dropRate: (given) => new DropRate(given),
  regularity: (given) => new Regularity(detector(given)),
  alertBudget: (given) => new AlertBudget(given),
  family ({ thresholds, floors = {}, drops = {} }) {
    const family = new Family({ thresholds })
    for (const [boss, floorMs] of Object.entries(floors)) family.boss(boss, { floorMs })
    for (const [drop, odds] of Object.entries(drops)) family.dropOdds(drop, odds)
  },
  adjust: (given) => Command.adjust({ ...given, nowMs: 0 }),
  review: (given) => Command.review({ ...given, nowMs: 0 }),
  policy: ({ keep }) => migrateXp(LevelCurve.table([1]), LevelCurve.table([1]), { policy: keep }, 1),
  engine: (given) => new Engine(rules, given),
  receiptId: (given) => receiptId({ ...given, scope: { level: 2 } })
}

/** Each of them throws the code, whatever class it has. */
export function refusedArguments ({ make, refused }) {
  for (const { with: given, code } of refused) assert.throws(() => MAKERS[make](given), { code }, `${make} ${JSON.stringify(given)}`)
}

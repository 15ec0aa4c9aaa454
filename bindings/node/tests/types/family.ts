// Types of families of detectors at work: `tsc --strict` passes on this, without @types/node. It is never run.

import {
  AlertBudget, AlertTally, Calibrator, Cusum, DropRate, Engine, Family, Hysteresis, PlayerProfile, Population, PopulationBuilder, Regularity, Robust, Rules,
  ZScore, sentenceOf,
  type Budget, type Calibration, type Detector, type Effect, type FamilyDetector, type FamilyFinding, type HistoryCount, type Observation, type ObservationColumns,
  type Scores, type Thresholds, type Verdict, type VerdictReason
} from 'liveops'

const now = new Date()
const rules = Rules.fromJson('{"version": 1, "game": "quests"}')
const builder = new PopulationBuilder()
builder.gain('ana', { at: now, activity: 'dungeon', amount: 5 })
builder.kill('ana', { atMs: 1n, boss: 'hydra', durationMs: 5 })
export const count: HistoryCount = builder.teachNdjson(rules, new Uint8Array(1))
const population = Population.fromBytes(builder.finish().toBytes())
export const known: readonly string[] = [...population.activities, ...population.bosses, population.hash]

const anchored = Rules.fromJson('{"version": 1, "game": "quests"}', { population }).withPopulation(population)
export const hash: string | null = anchored.populationHash
const budget: Budget = { perPlayerDay: 0.001 }
export const calibration: Calibration = anchored.calibrate('cheats', ['', new ArrayBuffer(1)], budget)
export const engine = new Engine(anchored.withThresholds('cheats', calibration.thresholds).withThresholds('cheats', { robust: 20 }))

const family = new Family({ population, thresholds: { robust: 20 } }).boss('hydra', { floorMs: 45_000n }).boss('ogre').dropOdds('crown', 0.05)
const ana = new PlayerProfile()
const event: Observation = { at: now, gain: { activity: 'dungeon', amount: 5, boost: 2 }, kill: { boss: 'hydra', durationMs: 9 }, drops: { drop: 'crown', hits: 1 } }
export const found: readonly FamilyFinding[] = [...family.observe(ana, event), ...family.score(ana, { atMs: 5 })]
const columns: ObservationColumns = { atMs: new BigInt64Array(2), activity: ['a', 'b'], amount: new Float64Array(2), boost: 2, boss: 'hydra', durationMs: new Uint32Array(2) }
export const { detectors, scores, findings } = family.observeMany(ana, columns)
export const first: number | undefined = findings[0]?.index
export const gathered: Scores = ana.scores
export const alerted: readonly FamilyDetector[] = ana.alerted

const calibrator = new Calibrator()
const most = calibrator.player()
most.observe(ana)
calibrator.add(most, { days: 3 })
export const thresholds: Thresholds = calibrator.thresholds({ perEvent: 1e-5 })

const detector: Detector = new Cusum({ threshold: 12, prior: { mean: 4.6, sd: 1.5, weight: 4 } })
export const batch: Float64Array = detector.observeMany(new Float64Array(2)).scores
new ZScore().merge(new ZScore())
export const zScore: ZScore = ZScore.fromBytes(new ZScore().toBytes(), { threshold: 4 })
export const kept: Uint8Array = Cusum.fromBytes(new Cusum().toBytes(), { threshold: 12 }).toBytes()
export const tail: number = new DropRate({ odds: 0.05 }).tail
const verdict: Verdict = new Regularity({ population }).observe(now)
export const raised: boolean = new Hysteresis().isFirst(verdict) && new AlertBudget({ perDay: 5 }).allows(new AlertTally(), { now })
export const why: VerdictReason = verdict.reason
export const words = (effect: Effect): string[] => effect.verdicts.map(sentenceOf).concat(verdict.sentence)

// @ts-expect-error An event has a time.
family.observe(ana, { gain: { activity: 'dungeon', amount: 5 } })
// @ts-expect-error And one of them.
family.observe(ana, { atMs: 1, at: now })
// @ts-expect-error No clock of 32 bits.
family.observeMany(ana, { atMs: new Float32Array(1) })
// @ts-expect-error A budget has a unit.
calibrator.thresholds(0.01)
// @ts-expect-error Nor is this a detector.
new Family({ thresholds: { moon: 3 } })
// @ts-expect-error A plain array is no Float64Array.
new Robust().observeMany([1, 2])

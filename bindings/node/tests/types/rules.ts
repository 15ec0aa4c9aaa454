// Types of a rules document, as programs write one. Never run.

import { Rules } from 'liveops'
import type { RulesBoard, RulesCurve, RulesDetector, RulesDocument, RulesReward } from 'liveops'

const curve: RulesCurve = { kind: 'exponential', base: 250, growth: '1.2', maxLevel: 60 }
const kills: RulesBoard = { on: 'boss_kill', where: { bossId: 'hydra', partySize: 1 }, value: 1, keepPeriods: { weekly: 8 }, payouts: {
  weekly: [{ tier: 'gold', ranks: [1, 1], grant: { kind: 'item', id: 'crown', amount: 1 } }, { tier: 'half', percent: '50', grant: [] }]
} }
const document: RulesDocument = {
  $schema: './rules.v1.json', version: 1, game: 'emberfall',
  events: { progression: { fields: { deltaXp: { max: 5000 } } }, arena_win: { fields: { rating: { type: 'uint', required: true } } } },
  progress: { curve, atMaxLevel: 'bank', xp: [{ on: 'boss_kill', amount: 400 }, { amount: { field: 'deltaXp' } }] },
  bundles: { starter: { kind: 'currency', id: 'gold', amount: 50 } },
  rewards: { welcome: { on: { levels: [10, 20], everyLevels: 5 }, grant: [{ bundle: 'starter' }, { kind: 'item', id: 'key', amount: 1 }] } },
  boards: { kills, xp: { value: 'grantedXp', keepPeriods: { allTime: 0 } } },
  detectors: { cheats: { kind: 'family', action: { timeFloor: 'hold' }, drops: { crown: { boss: 'hydra', odds: '0.05' } } } }
}
export const rules = Rules.fromJson(JSON.stringify(document))

// @ts-expect-error a decimal stands in quotes
export const growth: RulesCurve = { kind: 'exponential', base: 250, growth: 1.2, maxLevel: 60 }
// @ts-expect-error a linear curve has a step
export const step: RulesCurve = { kind: 'linear', base: 250, maxLevel: 60 }
// @ts-expect-error no such member
export const member: RulesDocument = { version: 1, game: 'g', bords: {} }
// @ts-expect-error items or a loot table
export const nothing: RulesReward = { on: { level: 10 } }
// @ts-expect-error such a detector has no span
export const span: RulesDetector = { kind: 'robust', span: 20 }

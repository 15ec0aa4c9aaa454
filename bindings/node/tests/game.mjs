// What several tests share: rules, a time, events.

import { Rules } from '../index.mjs'

export const NOW_MS = 1_794_052_800_000 // 2026-11-07T12:00:00Z

export const DOCUMENT = {
  version: 1,
  game: 'emberfall',
  progress: {
    curve: { kind: 'table', costs: [100, 200, 300] },
    xp: [{ on: 'progression', amount: { field: 'deltaXp' } }]
  },
  rewards: { 'level-gold': { on: { everyLevels: 1 }, grant: [{ kind: 'currency', id: 'gold', amount: 100 }] } },
  boards: { xp: { value: 'grantedXp', keepPeriods: { daily: 2, weekly: 8, allTime: 0 } } },
  detectors: { 'hydra-floor': { kind: 'timeFloor', boss: 'hydra', minimumMs: 45_000, action: 'hold' } },
  door: { quotas: [{ per: 'player', limit: 60, periodSeconds: 60, burst: 3 }, { per: 'ip', limit: 2, periodSeconds: 60 }] }
}

export const rules = (changes = {}) => Rules.fromJson(JSON.stringify({ ...DOCUMENT, ...changes }))

export const event = (id, playerId, deltaXp, more = {}) =>
  JSON.stringify({ id, type: 'progression', playerId, ts: NOW_MS / 1000, payload: { deltaXp }, ...more })

export const kill = (id, playerId, durationMs) =>
  event(id, playerId, 0, { type: 'boss_kill', payload: { bossId: 'hydra', durationMs } })

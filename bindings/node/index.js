'use strict'
// The package: everything users import. Each part is in a file of its own in `lib`.

const { AlertBudget, AlertTally, Hysteresis, sentenceOf } = require('./lib/alerts.js')
const anomaly = require('./lib/anomaly.js')
const { Archive, ArchiveView, Names } = require('./lib/archive.js')
const { Leaderboard } = require('./lib/board.js')
const { Command } = require('./lib/command.js')
const { LevelCurve } = require('./lib/curve.js')
const { Engine } = require('./lib/engine.js')
const { Board, Standings } = require('./lib/engine_board.js')
const { BatchReport, EventParser, validate } = require('./lib/event.js')
const { LiveopsError, RulesError, SignatureError, ValidationError, StoreError, Refusal } = require('./lib/errors.js')
const { Family, PlayerProfile } = require('./lib/family.js')
const { Calibrator, PlayerMost, PopulationBuilder } = require('./lib/history.js')
const { Intake } = require('./lib/intake.js')
const { Loot, seedCommitment } = require('./lib/loot.js')
const { Outcome, Outcomes } = require('./lib/outcome.js')
const { Payout, awards } = require('./lib/payout.js')
const { Population } = require('./lib/population.js')
const { Overflow, Progression, Streak, migrateXp, planMigration } = require('./lib/progress.js')
const { Decision, Quota, RateLimiter, SlidingLimiter, SlidingLog, gcra } = require('./lib/quota.js')
const { receiptHash, receiptId, receiptState, signReceipt, verifyChain, verifyReceipt } = require('./lib/receipt.js')
const { Calendar, DECISIONS, Rules } = require('./lib/rules.js')
const { Secret, Signer, Verifier, generateSecret, hmacSha256Hex, verifyHmacSha256Hex } = require('./lib/signing.js')
const { MemoryStore, PostgresStore, RedisStore, SqliteStore } = require('./lib/store.js')
const { WindowedLeaderboard } = require('./lib/windowed.js')

module.exports = {
  AlertBudget,
  AlertTally,
  Archive,
  ArchiveView,
  BatchReport,
  Board,
  Calendar,
  Calibrator,
  Command,
  Cusum: anomaly.Cusum,
  DECISIONS,
  Decision,
  Detector: anomaly.Detector,
  DropRate: anomaly.DropRate,
  Engine,
  EventParser,
  Ewma: anomaly.Ewma,
  Family,
  Hysteresis,
  Intake,
  Leaderboard,
  LevelCurve,
  LiveopsError,
  Loot,
  MemoryStore,
  Names,
  Outcome,
  Outcomes,
  Overflow,
  Payout,
  PlayerMost,
  PlayerProfile,
  Population,
  PopulationBuilder,
  PostgresStore,
  Progression,
  Quota,
  RateLimiter,
  RedisStore,
  Refusal,
  Regularity: anomaly.Regularity,
  Robust: anomaly.Robust,
  Rules,
  RulesError,
  Secret,
  SignatureError,
  Signer,
  SlidingLimiter,
  SlidingLog,
  SqliteStore,
  Standings,
  StoreError,
  Streak,
  TimeFloor: anomaly.TimeFloor,
  ValidationError,
  Verifier,
  WindowedLeaderboard,
  ZScore: anomaly.ZScore,
  awards,
  gcra,
  generateSecret,
  hmacSha256Hex,
  migrateXp,
  planMigration,
  receiptHash,
  receiptId,
  receiptState,
  seedCommitment,
  sentenceOf,
  signReceipt,
  validate,
  verifyChain,
  verifyHmacSha256Hex,
  verifyReceipt
}

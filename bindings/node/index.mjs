// The same package for `import`.

import liveops from './index.js'

export const {
  Archive,
  ArchiveView,
  Board,
  Calendar,
  Command,
  Decision,
  Detector,
  Engine,
  Ewma,
  Intake,
  Leaderboard,
  LevelCurve,
  LiveopsError,
  Names,
  Outcome,
  Outcomes,
  Payout,
  RateLimiter,
  Refusal,
  Robust,
  Rules,
  RulesError,
  Secret,
  SignatureError,
  Signer,
  SlidingLog,
  StoreError,
  TimeFloor,
  ValidationError,
  Verifier,
  WindowedLeaderboard,
  ZScore,
  awards,
  generateSecret,
  hmacSha256Hex,
  validate,
  verifyHmacSha256Hex
} = liveops

export default liveops

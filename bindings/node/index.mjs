// The same package for `import`.

import liveops from './index.js'

export const {
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
  Outcome,
  Outcomes,
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
  generateSecret,
  hmacSha256Hex,
  validate,
  verifyHmacSha256Hex
} = liveops

export default liveops

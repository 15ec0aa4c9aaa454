//! Every limit of the library, by name and with its unit.

/// Largest score, total, amount or payload integer, and the negative of the smallest: ±(2^53 - 1), which every
/// language holds exactly.
pub const INTEGER_MAX: i64 = (1 << 53) - 1;

/// Longest identifier, in bytes.
pub const ID_BYTES_MAX: usize = 64;
/// Most values of one list that Python or Node hand in, in values; memory that holds numbers already may be longer.
pub const LIST_LEN_MAX: usize = 10_000_000;
/// Longest body of an event, in bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// Deepest nesting of JSON, counting the outermost value as 1.
pub const JSON_DEPTH_MAX: usize = 8;
/// Most issues that one validation reports.
pub const ISSUES_MAX: usize = 32;
/// Most lines of a batch whose issues are kept.
pub const BATCH_ERRORS_MAX: usize = 1000;
/// Longest text field, in bytes.
pub const TEXT_BYTES_MAX: usize = 1024;
/// Longest array field, in elements.
pub const ARRAY_LEN_MAX: usize = 64;
/// Most fields of one event type.
pub const FIELDS_MAX: usize = 64;
/// Most experience that one event may ask for.
pub const DELTA_XP_MAX: i64 = 1_000_000;

/// Shortest secret, in bytes; [`crate::signing::Secret::short`] is the way around it.
pub const SECRET_BYTES_MIN: usize = 24;
/// Longest secret, in bytes.
pub const SECRET_BYTES_MAX: usize = 64;
/// Longest secret of [`crate::signing::Secret::short`], in bytes.
pub const SECRET_SHORT_BYTES_MAX: usize = 4096;
/// Most keys tried for a message that names none.
pub const SIGNATURE_KEYS_TRIED_MAX: usize = 16;
/// Longest `webhook-signature` header, in bytes.
pub const SIGNATURE_HEADER_BYTES_MAX: usize = 4096;
/// Most signatures in one header.
pub const SIGNATURES_MAX: usize = 16;
/// How far a signature's time may lie from the receiver's, in seconds, both ways.
pub const SIGNATURE_TOLERANCE_SECONDS: i64 = 300;

/// Longest rules document, in bytes.
pub const RULES_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Deepest nesting of a rules document.
pub const RULES_DEPTH_MAX: usize = 16;
/// Most levels of a curve.
pub const LEVELS_MAX: u32 = 10_000;
/// Most event types that one rules document describes; built-in ones that it leaves as they are come on top.
pub const EVENT_TYPES_MAX: usize = 256;
/// Most boards of one game.
pub const BOARDS_MAX: usize = 256;
/// Most boards that one game's rules list as retired.
pub const RETIRED_BOARDS_MAX: usize = 1024;
/// Most boards that a store's header knows, retired ones too.
pub const HEADER_BOARDS_MAX: usize = 65_536;
/// Most rules that a store's header names, those put in force last.
pub const HEADER_RULES_MAX: usize = 8;
/// Longest part of a snapshot, which is a record or what stands before the records, in bytes.
pub const SNAPSHOT_PART_BYTES_MAX: u64 = 1 << 30;
/// Most owners that a board takes memory for before they come; it grows beyond.
pub const BOARD_CAPACITY_MAX: usize = 10_000_000;
/// Most owners of one leaderboard, and most players of a store whose boards are in memory: a seat is a leaf times 64 and a slot, in
/// 32 bits.
pub const OWNERS_MAX: u32 = 1 << 28;
/// Longest grace of a calendar, in seconds: 30 days.
pub const GRACE_SECONDS_MAX: i64 = 30 * 86_400;
/// Most seasons of one table.
pub const SEASONS_MAX: usize = 1000;
/// Most changes of the UTC offset of one calendar: centuries of daylight saving.
pub const UTC_OFFSET_CHANGES_MAX: usize = 1000;
/// Most activities that detectors keep apart; the rest share `other`.
pub const ACTIVITIES_MAX: usize = 64;
/// Fewest recent values that an `Ewma` looks at: those that are not judged yet.
pub const EWMA_SPAN_MIN: u32 = 10;
/// Most players that one population is built from; each takes about 200 bytes while it is.
pub const HISTORY_PLAYERS_MAX: usize = 4_000_000;
/// Most detectors of one game.
pub const DETECTORS_MAX: usize = 32;
/// Most entries of one loot table.
pub const LOOT_ENTRIES_MAX: usize = 1000;
/// Most receipts that level rewards can make of one command: those of whoever goes from the first level to the highest.
pub const LEVEL_RECEIPTS_MAX: u64 = 20_000;
/// Most rewards of one player that wait to be claimed, however many receipts come after them; the oldest of more is given as if
/// it were claimed.
pub const CLAIMABLE_MAX: usize = 256;
/// Most items of one grant, bundle or loot entry.
pub const ITEMS_MAX: usize = 64;
/// Most findings of one player that wait for others to agree with them.
pub const DOUBTS_MAX: usize = 16;
/// Most named rewards, bundles and loot tables of one game, each.
pub const REWARDS_MAX: usize = 1024;
/// Most rolls after which pity gives its entry.
pub const PITY_ROLLS_MAX: u32 = 10_000;
/// Most rolls until pity gives its entry, of all entries together whose odds detectors take from loot tables: what those come to
/// over many rolls is worked out when rules are read.
pub const PITY_ROLLS_OF_ODDS_MAX: u32 = 100_000;
/// Most streaks of one game.
pub const STREAKS_MAX: usize = 16;
/// Most missed days that a streak goes on over.
pub const MISSED_DAYS_MAX: u32 = 366;
/// Most earlier curves that rules lead on from.
pub const MIGRATIONS_MAX: usize = 64;
/// Longest time to claim a reward, in seconds: ten years.
pub const CLAIM_SECONDS_MAX: i64 = 3660 * 86_400;
/// Most payout tiers of one window of a board.
pub const TIERS_MAX: usize = 64;
/// Most ranges of periods that a player is marked as paid for, of one window of one board; the two oldest become one.
pub const PAID_RANGES_MAX: usize = 64;
/// Longest reason of an operator's command, in bytes.
pub const REASON_BYTES_MAX: usize = 256;

/// Most commands of one player in one change set.
pub const RUN_LEN_MAX: usize = 64;
/// How far past its horizon a store is moved without anybody saying that it is meant, in milliseconds: 31 days.
pub const ADVANCE_MILLIS_MAX: i64 = 31 * 86_400_000;
/// Most players of one batch who are loaded and committed together: what a round touches stays in a processor's cache,
/// and a batch of any size needs little memory beside its own.
pub const ROUND_PLAYERS_MAX: usize = 256;
/// Most commands for which memory is kept from one batch to the next.
pub const WORKSPACE_COMMANDS_MAX: usize = 4096;
/// Most that waits in a batcher or is on its way from there, in bytes of memory; each lane has its share.
pub const BATCHER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Most threads that one ingest is spread over.
pub const INGEST_THREADS_MAX: usize = 64;
/// Most decisions of one run before it is given up as contended.
pub const ATTEMPTS_MAX: u32 = 8;
/// Most receipts that rules can have kept of one player.
pub const RECEIPTS_PER_PLAYER_MAX: i64 = 1_000_000;
/// Longest JSON of receipts that is read at once, in bytes.
pub const RECEIPTS_JSON_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Most suspicions kept of one player. Settled ones make room first, then flags, the oldest of each; events that are held and wait
/// for a review make none, and with so many of them no further event is held.
pub const SUSPICIONS_PER_PLAYER_MAX: usize = 256;
/// Default age up to which commands are taken, in seconds.
pub const PAST_SECONDS_DEFAULT: i64 = 86_400;
/// Default lead up to which commands are taken, in seconds.
pub const FUTURE_SECONDS_DEFAULT: i64 = 300;
/// Most different times between two calls by which a limiter knows how many calls are owed once numbers change.
pub const QUOTA_INTERVALS_MAX: usize = 127;
/// Most entries of one page of a board.
pub const PAGE_LEN_MAX: usize = 100_000;
/// Most boosts of one game.
pub const BOOSTS_MAX: usize = 256;
/// Most factors of boosts for which a player's remainder is kept; the oldest make room.
pub const REMAINDERS_MAX: usize = 4;
/// Most digits behind the point of a decimal in a rules document.
pub const FRACTION_DIGITS_MAX: usize = 9;
/// Largest number below the slash of a fraction in a rules document.
pub const DENOMINATOR_MAX: u64 = 1_000_000_000;
/// Most coefficients of a polynomial curve.
pub const COEFFICIENTS_MAX: usize = 16;

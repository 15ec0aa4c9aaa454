//! The rules document, read from the top.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::calendar::calendar;
use super::names::Names;
use super::progress::{self, Progress};
use super::reader::{self, Fields, Node, RulesError};
use super::reward::{self, Bundles};
use super::select::{amount, select};
use super::watch::Agreement;
use super::{BoardRule, Door, DoorQuota, Per, Rules, by_type, detectors, payout, seconds};
use crate::board::{Operator, Order, Ranking, Sort, Ties};
use crate::error::Code;
use crate::event::{Field, FieldKind, Schemas, TimeLimits, UnknownFields};
use crate::hash::Digest;
use crate::id::{BoardId, Id};
use crate::json;
use crate::limits::{
    ACTIVITIES_MAX, ARRAY_LEN_MAX, BOARDS_MAX, EVENT_TYPES_MAX, FIELDS_MAX, FUTURE_SECONDS_DEFAULT, INTEGER_MAX,
    PAST_SECONDS_DEFAULT, RECEIPTS_PER_PLAYER_MAX, RETIRED_BOARDS_MAX, TEXT_BYTES_MAX,
};
use crate::progress::LevelCurve;
use crate::quota::Quota;
use crate::window::{Calendar, Window};

pub(super) type Read<T> = Result<T, RulesError>;

/// A year: no limit of time in seconds is larger.
const YEAR_SECONDS: i64 = 366 * 86_400;
const QUOTAS_MAX: usize = 16;

/// A level curve alone, as it is written.
pub(super) fn level_curve(bytes: &[u8]) -> Read<LevelCurve> {
    progress::written(&Node::root(&parsed(bytes)?)).map(|(curve, _)| curve)
}

fn parsed(bytes: &[u8]) -> Read<json::Value<'_>> {
    json::parse(bytes, json::Limits::RULES).map_err(|e| RulesError {
        path: e.path.clone(),
        issue: e.code,
        message: e.to_string(),
    })
}

pub(super) fn read(bytes: &[u8]) -> Read<Rules> {
    let document = parsed(bytes)?;
    let root = Node::root(&document);
    let mut fields = root.fields()?;
    if let Some(node) = fields.get("$schema") {
        node.text()?;
    }
    fields.need("version")?.int(1, 1)?;
    let game = fields.need("game")?.id()?;
    let limits = limits(fields.get("limits"))?;
    let schemas = fields.get("events").map_or_else(|| Ok(Schemas::builtin()), |node| events(&node))?;
    let rules = Names::new(&schemas);
    let bundles = fields.get("bundles").map_or_else(|| Ok(Bundles::new()), |node| reward::bundles(&node))?;
    let Progress { progression, xp, streaks, overflow, migrations, mark } =
        progress::read(fields.get("progress"), &rules, &bundles)?;
    let activities = match fields.get("activities") {
        Some(node) => {
            let activity = |node: &Node<'_>| rules.met(None).ask_name(&name("activity"), node);
            bounded(&node, ACTIVITIES_MAX)?.iter().map(activity).collect::<Read<_>>()?
        }
        None => Vec::new(),
    };
    let loot = fields.get("loot").map_or_else(|| Ok(BTreeMap::new()), |node| reward::loot(&node, &bundles))?;
    let levels = &progression.levels;
    let given = reward::Given { loot: &loot, bundles: &bundles, streaks: &streaks, levels };
    let rewards = fields.get("rewards").map_or_else(|| Ok(Vec::new()), |node| reward::read(&node, &given, &rules))?;
    let calendar = fields.get("calendar").map_or_else(|| Ok(Calendar::utc()), |node| calendar(&node))?;
    let boards = fields.get("boards").map_or_else(|| Ok(Vec::new()), |node| boards(&node, &rules, &bundles))?;
    let retired = fields.get("retiredBoards").map_or_else(|| Ok(Vec::new()), |node| retired_boards(&node, &boards))?;
    let detectors::Read { detectors, families } = fields
        .get("detectors")
        .map_or_else(|| Ok(detectors::Read::default()), |node| detectors::read(&node, &rules, &activities, &loot))?;
    let agreement =
        fields.get("alerts").map_or_else(|| Ok(Agreement::default()), |node| detectors::agreement(&node))?;
    let (receipts_max, suspicions_days) = retention(fields.get("retention"))?;
    let quotas = fields.get("door").map_or_else(|| Ok(Vec::new()), |node| door(&node))?;
    fields.end()?;

    let mut leaves = BTreeMap::new();
    reader::leaves(&document, &mut String::new(), &mut leaves);
    // For editors: rules that gain it are the same rules.
    leaves.remove("/$schema");
    let mut fingerprint_key = [0; 16];
    let digest = |domain: &[u8]| Digest::of(&[domain, game.as_bytes()]).0;
    fingerprint_key.copy_from_slice(&digest(b"liveops fingerprint v1\0")[..16]);
    let by_type = by_type::compile(&schemas, &xp, &boards, &rewards, &streaks);
    Ok(Rules {
        door: Door { schemas: Arc::new(schemas), limits, quotas },
        calendar,
        progression,
        xp,
        streaks,
        overflow,
        migrations,
        mark,
        activities,
        other_activity: name("other"),
        rewards,
        loot,
        loot_seed: None,
        boards,
        by_type,
        retired,
        detectors,
        families,
        agreement,
        population: None,
        receipts_max,
        suspicions_millis_max: suspicions_days * crate::time::DAY_MILLIS,
        hash: reader::hash(&leaves),
        fingerprint_key,
        leaves,
        game: game.to_string(),
    })
}

pub(super) fn name(text: &'static str) -> Id {
    // Literals of this file, all visible ASCII.
    Id::new(text).unwrap_or_else(|_| unreachable!("{text} is a valid id"))
}

pub(super) fn bounded<'v>(node: &Node<'v>, len_max: usize) -> Read<Vec<Node<'v>>> {
    let elements = node.elements()?;
    if elements.len() > len_max {
        return Err(node.error(Code::TooLong, format_args!("at most {len_max}")));
    }
    Ok(elements)
}

fn limits(node: Option<Node<'_>>) -> Read<TimeLimits> {
    let (mut past, mut future) = (PAST_SECONDS_DEFAULT, FUTURE_SECONDS_DEFAULT);
    if let Some(node) = node {
        let mut fields = node.fields()?;
        past = fields.get("maxPastSeconds").map_or(Ok(past), |n| n.int(0, YEAR_SECONDS))?;
        future = fields.get("maxFutureSeconds").map_or(Ok(future), |n| n.int(0, YEAR_SECONDS))?;
        fields.end()?;
    }
    Ok(TimeLimits { past_millis_max: past * 1000, future_millis_max: future * 1000 })
}

fn events(node: &Node<'_>) -> Read<Schemas> {
    if node.value().as_str().is_some() {
        node.word(&[("guide", ())])?;
        return Ok(Schemas::guide());
    }
    let mut schemas = Schemas::builtin();
    for (kind, node) in node.named(EVENT_TYPES_MAX)? {
        let mut schema = schemas.get(kind.as_str()).cloned().unwrap_or_default();
        let mut fields = node.fields()?;
        if let Some(node) = fields.get("unknownFields") {
            schema.unknown_fields = node.word(&[
                ("deny", UnknownFields::Deny),
                ("ignore", UnknownFields::Ignore),
                ("keep", UnknownFields::Keep),
            ])?;
        }
        if let Some(node) = fields.get("fields") {
            for (name, node) in node.named(FIELDS_MAX)? {
                let known = schema.field(name.as_str()).cloned();
                schema.set(field(name, &node, known)?);
            }
        }
        fields.end()?;
        schemas.define(kind.as_str(), schema).map_err(|e| {
            let path = format!("{}{}", node.path, e.path);
            RulesError { path, issue: Code::InvalidFormat, message: e.to_string() }
        })?;
    }
    Ok(schemas)
}

/// A field of an event: what is not said stays as the built-in type has it.
fn field(name: Id, node: &Node<'_>, known: Option<Field>) -> Read<Field> {
    let mut fields = node.fields()?;
    let (known_kind, known_required) = known.map_or((None, false), |field| (Some(field.kind), field.required));
    let kind = kind(&mut fields, node, known_kind)?;
    let required = fields.get("required").map_or(Ok(known_required), |n| n.bool())?;
    fields.end()?;
    Ok(Field { name, kind, required })
}

fn kind(fields: &mut Fields<'_>, node: &Node<'_>, known: Option<FieldKind>) -> Read<FieldKind> {
    const KINDS: &[(&str, &str)] = &[
        ("int", "int"),
        ("uint", "uint"),
        ("decimal", "decimal"),
        ("bool", "bool"),
        ("id", "id"),
        ("text", "text"),
        ("enum", "enum"),
        ("array", "array"),
    ];
    let word = fields.get("type").map(|n| n.word(KINDS)).transpose()?;
    let base = match (word, known) {
        (None, None) => return Err(fields.need("type").err().unwrap_or_else(|| node.error(Code::Missing, "a type"))),
        (None, Some(known)) => known,
        (Some("int"), _) => FieldKind::Int { min: -INTEGER_MAX, max: INTEGER_MAX },
        (Some("uint"), _) => FieldKind::Uint { min: 0, max: INTEGER_MAX },
        (Some("decimal"), _) => FieldKind::Decimal,
        (Some("bool"), _) => FieldKind::Bool,
        (Some("id"), _) => FieldKind::Id,
        (Some("text"), _) => FieldKind::Text { min_bytes: 0, max_bytes: TEXT_BYTES_MAX },
        (Some("enum"), _) => FieldKind::Enum(Vec::new()),
        (Some(_), _) => FieldKind::Array(Box::new(FieldKind::Id), ARRAY_LEN_MAX),
    };
    Ok(match base {
        FieldKind::Int { min, max } => {
            let (min, max) = range(fields, -INTEGER_MAX, min, max)?;
            FieldKind::Int { min, max }
        }
        FieldKind::Uint { min, max } => {
            let (min, max) = range(fields, 0, min, max)?;
            FieldKind::Uint { min, max }
        }
        FieldKind::Text { min_bytes, max_bytes } => {
            let bytes = |node: Option<Node<'_>>, default| {
                let max = i64::try_from(TEXT_BYTES_MAX).unwrap_or(INTEGER_MAX);
                node.map_or(Ok(default), |n| n.int(0, max).map(|n| usize::try_from(n).unwrap_or_default()))
            };
            let min_bytes = bytes(fields.get("minBytes"), min_bytes)?;
            FieldKind::Text { min_bytes, max_bytes: bytes(fields.get("maxBytes"), max_bytes)? }
        }
        FieldKind::Enum(values) => FieldKind::Enum(match fields.get("values") {
            Some(node) => bounded(&node, 256)?.iter().map(Node::id).collect::<Read<_>>()?,
            None if values.is_empty() => return Err(node.error(Code::Missing, "an enum has \"values\"")),
            None => values,
        }),
        FieldKind::Array(items, len_max) => {
            let items = match fields.get("items") {
                Some(node) => {
                    let mut fields = node.fields()?;
                    let items = kind(&mut fields, &node, None)?;
                    fields.end()?;
                    Box::new(items)
                }
                None if word.is_some() => return Err(node.error(Code::Missing, "an array has \"items\"")),
                None => items,
            };
            let len_max = fields
                .get("maxLen")
                .map_or(Ok(len_max), |n| n.int(0, 64).map(|n| usize::try_from(n).unwrap_or_default()))?;
            FieldKind::Array(items, len_max)
        }
        other => other,
    })
}

fn range(fields: &mut Fields<'_>, lowest: i64, min: i64, max: i64) -> Read<(i64, i64)> {
    let min = fields.get("min").map_or(Ok(min), |n| n.int(lowest, INTEGER_MAX))?;
    let max = fields.get("max").map_or(Ok(max), |n| n.int(min, INTEGER_MAX))?;
    Ok((min, max))
}

fn boards(node: &Node<'_>, names: &Names<'_>, bundles: &Bundles) -> Read<Vec<BoardRule>> {
    let mut boards = Vec::new();
    for (board, node) in node.named(BOARDS_MAX)? {
        let mut fields = node.fields()?;
        let (select, met) = select(&mut fields, names)?;
        let value = amount(&fields.need("value")?, &met, true)?;
        let subvalue = fields.get("subvalue").map(|node| amount(&node, &met, true)).transpose()?;
        let operator = fields.get("operator").map_or(Ok(Operator::Incr), |node| {
            node.word(&[
                ("incr", Operator::Incr),
                ("best", Operator::Best),
                ("set", Operator::Set),
                ("decr", Operator::Decr),
            ])
        })?;
        let order =
            fields.get("order").map_or(Ok(Order::Desc), |n| n.word(&[("desc", Order::Desc), ("asc", Order::Asc)]))?;
        let ties = fields.get("ties").map_or(Ok(Ties::FirstToReach), |node| {
            node.word(&[
                ("firstToReach", Ties::FirstToReach),
                ("lastToReach", Ties::LastToReach),
                ("ownerId", Ties::OwnerId),
            ])
        })?;
        let ranking = fields.get("ranking").map_or(Ok(Ranking::Ordinal), |node| {
            node.word(&[
                ("ordinal", Ranking::Ordinal),
                ("competition", Ranking::Competition),
                ("dense", Ranking::Dense),
            ])
        })?;
        let mut windows = Vec::new();
        let keep = fields.need("keepPeriods")?;
        for (window, node) in keep.named(Window::ALL.len())? {
            let known: Vec<_> = Window::ALL.iter().map(|window| window.as_str()).collect();
            let window = Window::from_text(window.as_str())
                .ok_or_else(|| node.error(Code::UnknownWindow, format_args!("one of {}", known.join(", "))))?;
            windows.push((window, node.u32(0, 1000)?));
        }
        if windows.is_empty() {
            return Err(keep.error(Code::TooShort, "a board has at least one window"));
        }
        windows.sort_unstable();
        let payouts =
            fields.get("payouts").map_or_else(|| Ok(Vec::new()), |node| payout::read(&node, &windows, bundles))?;
        fields.end()?;
        let (board, sort) = (board.into(), Sort { order, ties });
        boards.push(BoardRule { board, select, value, subvalue, operator, sort, ranking, windows, payouts });
    }
    Ok(boards)
}

/// Names of boards that are no more.
fn retired_boards(node: &Node<'_>, boards: &[BoardRule]) -> Read<Vec<BoardId>> {
    let mut retired = Vec::new();
    for node in bounded(node, RETIRED_BOARDS_MAX)? {
        let board = BoardId::from(node.id()?);
        if boards.iter().any(|rule| rule.board == board) {
            return Err(node.error(Code::InvalidArgument, "a board that the document has is not retired"));
        }
        if retired.contains(&board) {
            return Err(node.error(Code::InvalidArgument, "each once"));
        }
        retired.push(board);
    }
    retired.sort_unstable();
    Ok(retired)
}

fn retention(node: Option<Node<'_>>) -> Read<(u64, i64)> {
    let (mut receipts, mut days) = (1000, 90);
    if let Some(node) = node {
        let mut fields = node.fields()?;
        receipts = fields
            .get("receiptsPerPlayer")
            .map_or(Ok(receipts), |n| n.int(1, RECEIPTS_PER_PLAYER_MAX).map(i64::unsigned_abs))?;
        days = fields.get("suspicionsDays").map_or(Ok(days), |n| n.int(1, 3660))?;
        fields.end()?;
    }
    Ok((receipts, days))
}

fn door(node: &Node<'_>) -> Read<Vec<DoorQuota>> {
    let mut fields = node.fields()?;
    let mut quotas = Vec::new();
    if let Some(node) = fields.get("quotas") {
        for node in bounded(&node, QUOTAS_MAX)? {
            let mut fields = node.fields()?;
            let id = fields.get("id");
            let per = fields.need("per")?.word(&[("ip", Per::Ip), ("player", Per::Player)])?;
            let limit = fields.need("limit")?.u32(1, u32::MAX)?;
            let period = fields.need("periodSeconds")?.int(1, YEAR_SECONDS)?;
            let mut quota = Quota::new(limit, seconds(period));
            if let Some(burst) = fields.get("burst") {
                quota = quota.burst(burst.u32(1, u32::MAX)?);
            }
            fields.end()?;
            // Several without an id that share their period are told apart by their order.
            let is_known = |name: Quota| {
                quotas.iter().any(|known: &DoorQuota| known.per == per && known.quota.name() == name.name())
            };
            if let Some(id) = &id {
                quota = quota.named(id.id()?.as_str());
                if is_known(quota) {
                    return Err(id.error(Code::InvalidArgument, "another quota has this id"));
                }
            } else if is_known(quota) {
                let others = (2..).map(|n: u32| quota.named(&format!("{period} s, number {n}")));
                quota = others.take(QUOTAS_MAX).find(|other| !is_known(*other)).unwrap_or(quota);
            }
            quotas.push(DoorQuota { per, quota });
        }
    }
    fields.end()?;
    Ok(quotas)
}

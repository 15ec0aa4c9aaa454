//! The part of the rules document that says when periods begin and close.

use std::collections::BTreeSet;

use super::document::{Read, bounded};
use super::reader::Node;
use crate::error::{Code, Error};
use crate::limits::{GRACE_SECONDS_MAX, SEASONS_MAX, UTC_OFFSET_CHANGES_MAX};
use crate::time::Timestamp;
use crate::window::{Calendar, OffsetChange, Season, Seasons, Weekday};

/// `calendar`.
pub(super) fn calendar(node: &Node<'_>) -> Read<Calendar> {
    let mut fields = node.fields()?;
    let mut calendar = Calendar::utc();
    let refused = |node: &Node<'_>, error: Error| node.error(error.code(), "outside its range");
    if let Some(node) = fields.get("resetMinute") {
        calendar = calendar.reset_minute(node.int(0, 1439)?).map_err(|e| refused(&node, e))?;
    }
    // A table without the offset before it would silently begin with UTC.
    let offset = match fields.get("utcOffsetChanges") {
        Some(changes) => Some((fields.need("utcOffsetMinutes")?, Some(changes))),
        None => fields.get("utcOffsetMinutes").map(|minutes| (minutes, None)),
    };
    if let Some((minutes, changes)) = offset {
        let table = changes.as_ref().map_or_else(|| Ok(Vec::new()), offset_changes)?;
        let skips = "a change may not be so large that a day is left out";
        calendar = calendar
            .utc_offsets(minutes.int(-840, 840)?, &table)
            .map_err(|e| changes.as_ref().unwrap_or(&minutes).error(e.code(), skips))?;
    }
    if let Some(node) = fields.get("weekStart") {
        let days: Vec<_> = Weekday::ALL.iter().map(|day| (day.as_str(), *day)).collect();
        calendar = calendar.week_start(node.word(&days)?);
    }
    if let Some(node) = fields.get("graceSeconds") {
        calendar = calendar.grace_seconds(node.int(0, GRACE_SECONDS_MAX)?).map_err(|e| refused(&node, e))?;
    }
    if let Some(node) = fields.get("seasons") {
        calendar = calendar.seasons(seasons(&node)?).map_err(|e| refused(&node, e))?;
    }
    fields.end()?;
    Ok(calendar)
}

/// `[{"from": "2026-03-29T01:00:00Z", "minutes": 120}, ...]`.
fn offset_changes(node: &Node<'_>) -> Read<Vec<OffsetChange>> {
    let mut before: Option<Timestamp> = None;
    let change = |node: &Node<'_>| {
        let mut fields = node.fields()?;
        let from_node = fields.need("from")?;
        let from = from_node.time()?;
        if before.replace(from).is_some_and(|before| from <= before) {
            return Err(from_node.error(Code::OutOfRange, "changes stand in the order of their times"));
        }
        let minutes = fields.need("minutes")?.int(-840, 840)?;
        fields.end()?;
        Ok(OffsetChange { from, minutes })
    };
    bounded(node, UTC_OFFSET_CHANGES_MAX)?.iter().map(change).collect()
}

/// `{"every": "month"}` or `{"table": [{"label", "from", "until"}, ...]}`.
fn seasons(node: &Node<'_>) -> Read<Seasons> {
    let mut fields = node.fields()?;
    let seasons = if let Some(table) = fields.get("table") {
        Seasons::Table(season_table(&table)?)
    } else {
        fields.need("every")?.word(&[("month", ())])?;
        fields.get("label").map_or(Ok(()), |node| node.word(&[("YYYY-MM", ())]))?;
        Seasons::Monthly
    };
    fields.end()?;
    Ok(seasons)
}

fn season_table(node: &Node<'_>) -> Read<Vec<Season>> {
    let mut labels = BTreeSet::new();
    let mut end: Option<Timestamp> = None;
    let season = |node: &Node<'_>| {
        let mut fields = node.fields()?;
        let (label_node, from_node, until_node) = (fields.need("label")?, fields.need("from")?, fields.need("until")?);
        let season = Season { label: label_node.id()?, from: from_node.time()?, until: until_node.time()? };
        if !labels.insert(season.label.clone()) {
            return Err(label_node.error(Code::InvalidArgument, "another season has this label"));
        }
        if end.replace(season.until).is_some_and(|end| season.from < end) {
            return Err(from_node.error(Code::OutOfRange, "a season begins when the one before has ended, or later"));
        }
        if season.until <= season.from {
            return Err(until_node.error(Code::OutOfRange, "a season ends after it begins"));
        }
        fields.end()?;
        Ok(season)
    };
    bounded(node, SEASONS_MAX)?.iter().map(season).collect()
}

//! A named time zone as the `calendar` of a rules document. The core has no time zone database; `jiff` brings one.
//!
//! ```text
//! cargo run --example timezone -- [zone] [first year] [year after the last]
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use jiff::civil::date;
use jiff::tz::{Offset, TimeZone};
use liveops_core::Timestamp;
use liveops_core::window::{Calendar, OffsetChange, Window};

/// The offset at the begin of `from_year` and all changes before `until_year` begins, in minutes ahead of UTC.
fn utc_offsets(zone: &str, from_year: i16, until_year: i16) -> Result<(i64, Vec<OffsetChange>), Box<dyn Error>> {
    let zone = TimeZone::get(zone)?;
    let begin = |year| date(year, 1, 1).to_zoned(TimeZone::UTC).map(|begin| begin.timestamp());
    let (from, until) = (begin(from_year)?, begin(until_year)?);
    let minutes = |offset: Offset| match (offset.seconds() / 60, offset.seconds() % 60) {
        (minutes, 0) => Ok(i64::from(minutes)),
        _ => Err("in years before 1972 some zones are not whole minutes from UTC"),
    };
    let mut changes = Vec::new();
    for change in zone.following(from).take_while(|change| change.timestamp() < until) {
        let from = Timestamp::from_unix_millis(change.timestamp().as_millisecond());
        changes.push(OffsetChange { from, minutes: minutes(change.offset())? });
    }
    Ok((minutes(zone.to_offset(from))?, changes))
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let word = |at: usize, default: &str| words.get(at).cloned().unwrap_or_else(|| default.to_owned());
    let (zone, from_year, until_year) = (word(0, "Europe/Berlin"), word(1, "2026").parse()?, word(2, "2036").parse()?);

    let (minutes, changes) = utc_offsets(&zone, from_year, until_year)?;
    let lines: Vec<_> = changes
        .iter()
        .map(|change| format!(r#"    {{ "from": "{}", "minutes": {} }}"#, change.from, change.minutes))
        .collect();
    println!("\"calendar\": {{ \"utcOffsetMinutes\": {minutes}, \"utcOffsetChanges\": [\n{} ] }}", lines.join(",\n"));

    // The same without a rules document, and what follows from it.
    let calendar = Calendar::utc().utc_offsets(minutes, &changes)?;
    for change in changes.iter().take(4) {
        let Some(day) = calendar.period(Window::Daily, change.from) else { continue };
        let seconds = calendar.end(day).as_unix_seconds() - calendar.start(day).as_unix_seconds();
        println!("\n{}: {} hours, from {}", calendar.label(day), seconds / 3600, calendar.start(day));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use liveops_core::Rules;

    use super::*;

    /// The label and the hours of the day that holds a time.
    fn day(calendar: &Calendar, time: &str) -> (String, i64) {
        let day = calendar.period(Window::Daily, Timestamp::from_rfc3339(time).unwrap()).unwrap();
        let seconds = calendar.end(day).as_unix_seconds() - calendar.start(day).as_unix_seconds();
        (calendar.label(day), seconds / 3600)
    }

    #[test]
    fn berlin_has_days_of_23_and_25_hours() {
        let (minutes, changes) = utc_offsets("Europe/Berlin", 2026, 2036).unwrap();
        assert_eq!((minutes, changes.len()), (60, 20));
        let calendar = Calendar::utc().utc_offsets(minutes, &changes).unwrap();
        for (time, label, hours) in [
            ("2026-03-28T12:00:00Z", "2026-03-28", 24),
            ("2026-03-29T12:00:00Z", "2026-03-29", 23),
            ("2026-10-24T22:00:00Z", "2026-10-25", 25),
            ("2026-10-25T22:59:59Z", "2026-10-25", 25),
            ("2026-10-25T23:00:00Z", "2026-10-26", 24),
            ("2035-03-25T12:00:00Z", "2035-03-25", 23),
        ] {
            assert_eq!(day(&calendar, time), (label.to_owned(), hours), "{time}");
        }
    }

    #[test]
    fn zones_without_daylight_saving_have_no_changes() {
        assert_eq!(utc_offsets("Asia/Kathmandu", 2026, 2036).unwrap(), (345, Vec::new()));
        assert!(utc_offsets("Europe/Atlantis", 2026, 2036).is_err());
    }

    /// The table in the documentation is what the rules take, and what the zone says.
    #[test]
    fn the_page_about_calendars_tells_the_truth() {
        const PAGE: &str = include_str!("../../docs/calendars.md");
        let block = |language: &str| {
            let (_, rest) = PAGE.split_once(&format!("```{language}\n")).unwrap();
            rest.split_once("```").unwrap().0
        };
        assert!(include_str!("timezone.rs").contains(block("rust")), "the page shows another program");
        let rules = |calendar: &str| {
            Rules::from_json(&format!(
                r#"{{ "version": 1, "game": "g", {calendar}, "boards": {{ "b": {{ "value": 1, "keepPeriods": {{ "daily": 1 }} }} }} }}"#
            ))
            .unwrap()
        };
        let (minutes, changes) = utc_offsets("Europe/Berlin", 2026, 2028).unwrap();
        let wanted = Calendar::utc().utc_offsets(minutes, &changes).unwrap().reset_minute(300).unwrap();
        let written = rules(block("json").trim());
        assert_eq!(*written.calendar(), wanted);
        // The same zone for two more years takes its place.
        let (_, longer) = utc_offsets("Europe/Berlin", 2026, 2030).unwrap();
        assert!(wanted.grows_into(&Calendar::utc().utc_offsets(60, &longer).unwrap().reset_minute(300).unwrap()));
    }
}

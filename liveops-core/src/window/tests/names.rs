//! Names and stored bytes.

use super::*;
use crate::codec::Stable;

#[test]
fn names_are_the_json_names_and_read_back() {
    for window in Window::ALL.iter().copied() {
        assert_eq!(serde_json::to_value(window).unwrap(), window.as_str());
        assert_eq!(Window::from_text(window.as_str()), Some(window));
    }
    for day in Weekday::ALL.iter().copied() {
        assert_eq!(serde_json::to_value(day).unwrap(), day.as_str());
        assert_eq!(Weekday::from_text(day.as_str()), Some(day));
    }
    assert_eq!(Window::from_text("Daily"), None);
    assert_eq!(Weekday::from_text(""), None);
    assert_eq!(
        serde_json::to_string(&Period { window: Window::AllTime, index: 0 }).unwrap(),
        r#"{"window":"allTime","index":0}"#
    );
}

#[test]
fn periods_keep_their_bytes() {
    let period = Period { window: Window::Weekly, index: -2 };
    assert_eq!(period.to_bytes(), [1, 3]);
    assert_eq!(Period::take(&mut &[1, 3][..]), Some(period));
    assert_eq!(Period::take(&mut &[5, 3][..]), None);
}

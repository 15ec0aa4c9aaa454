//! The kinds about calendars.

use liveops_core::window::{Calendar, Period, Window};
use liveops_core::{Rules, Timestamp};
use serde_json::{Value, json};

use super::case::{Case, text, time};

pub(crate) fn period(case: &Case) {
    let (calendar, window, ts) = (calendar(case), window(case.need("window")), case.time("tsMs"));
    let actual = calendar.period(window, ts).map(|period| {
        json!({
            "index": period.index,
            "label": calendar.label(period),
            "startMs": calendar.start(period),
            "endMs": calendar.end(period),
            "closesMs": calendar.closes_at(period),
        })
    });
    case.compare(case.expect(), &json!(actual));
    case.compare(case.need("nextResetMs"), &json!(calendar.next_reset(window, ts)));
}

pub(crate) fn closed(case: &Case) {
    let calendar = calendar(case);
    let windows: Vec<_> = case.need("windows").as_array().unwrap().iter().map(window).collect();
    let closed = calendar.closed_between(&windows, case.time("afterMs"), case.time("throughMs"));
    let closed: Vec<_> = closed.map(|(at, period)| json!([at, period.window, calendar.label(period)])).collect();
    case.compare(case.expect(), &json!(closed));
}

pub(crate) fn state(case: &Case) {
    let calendar = calendar(case);
    let period = Period { window: window(case.need("window")), index: case.need("index").as_i64().unwrap() };
    let keep = u32::try_from(case.need("keep").as_u64().unwrap()).unwrap();
    for expected in case.expect().as_array().unwrap() {
        let now: Timestamp = time(&expected[0]);
        let state = calendar.state(period, keep, now);
        assert_eq!(state.as_str(), text(&expected[1]), "{} at {now}", case.name());
    }
}

pub(crate) fn calendar(case: &Case) -> Calendar {
    let calendar = case.get("calendar").cloned().unwrap_or_else(|| json!({}));
    let rules = json!({ "version": 1, "game": "vectors", "calendar": calendar });
    Rules::from_json(&rules.to_string()).unwrap().calendar().clone()
}

pub(crate) fn window(name: &Value) -> Window {
    Window::from_text(text(name)).unwrap()
}

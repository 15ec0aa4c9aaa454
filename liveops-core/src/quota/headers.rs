//! What an HTTP answer says of a quota: the fields of draft-ietf-httpapi-ratelimit-headers-10, `Retry-After` (RFC 9110)
//! and the older `X-RateLimit-*`.

use std::time::Duration;

use super::Decision;

impl Decision {
    /// The value of `RateLimit-Policy`: `"player";q=60;w=60`, the calls a period and the period in seconds. A period
    /// that is no whole number of seconds is left out.
    ///
    /// The name is the policy's and goes into a structured-field String (RFC 9651): quotes and backslashes are escaped,
    /// and what such a String cannot hold, anything but visible ASCII and spaces, becomes `?`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use liveops_core::Timestamp;
    /// use liveops_core::quota::{Quota, gcra};
    ///
    /// let quota = Quota::new(60, Duration::from_secs(60)).burst(10);
    /// let (_, decision) = gcra(i64::MIN, quota, 1, Timestamp::from_unix_seconds(1_800_000_000));
    /// assert_eq!(decision.policy_header("player"), r#""player";q=60;w=60"#);
    /// assert_eq!(decision.state_header("player"), r#""player";r=9;t=1"#);
    /// ```
    pub fn policy_header(&self, name: &str) -> String {
        let window = if self.period.subsec_nanos() == 0 && !self.period.is_zero() {
            format!(";w={}", self.period.as_secs())
        } else {
            String::new()
        };
        format!("{};q={}{window}", quoted(name), self.limit)
    }

    /// The value of `RateLimit`: `"player";r=9;t=12`, the calls that could still pass now and the seconds, rounded up,
    /// until everything that was used will be free again. The name is written as by [`Self::policy_header`].
    pub fn state_header(&self, name: &str) -> String {
        format!("{};r={};t={}", quoted(name), self.remaining, whole_seconds(self.reset_after))
    }

    /// [`Self::retry_after`] in whole seconds, rounded up: the HTTP header `Retry-After`.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after.map(whole_seconds)
    }

    /// All headers that tell a client where it stands: `RateLimit-Policy`, `RateLimit`, `X-RateLimit-Limit`,
    /// `X-RateLimit-Window` (the period in seconds, rounded up), `X-RateLimit-Remaining`, and `Retry-After` if waiting
    /// helps. [`Self::unlimited`] has none.
    pub fn headers(&self, name: &str) -> Vec<(&'static str, String)> {
        if self.period.is_zero() {
            return Vec::new();
        }
        let mut headers = vec![
            ("RateLimit-Policy", self.policy_header(name)),
            ("RateLimit", self.state_header(name)),
            ("X-RateLimit-Limit", self.limit.to_string()),
            ("X-RateLimit-Window", whole_seconds(self.period).to_string()),
            ("X-RateLimit-Remaining", self.remaining.to_string()),
        ];
        headers.extend(self.retry_after_seconds().map(|seconds| ("Retry-After", seconds.to_string())));
        headers
    }
}

/// Rounded up.
fn whole_seconds(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

/// A structured-field String (RFC 9651, 3.3.3).
fn quoted(name: &str) -> String {
    let mut quoted = String::with_capacity(name.len() + 2);
    quoted.push('"');
    for char in name.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            ' '..='~' => quoted.push(char),
            _ => quoted.push('?'),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::{Quota, gcra};
    use crate::time::Timestamp;

    fn decide(quota: Quota, cost: u32) -> Decision {
        gcra(i64::MIN, quota, cost, Timestamp::from_unix_millis(0)).1
    }

    #[test]
    fn what_a_client_is_told() {
        let quota = Quota::new(10, Duration::from_millis(1500));
        let told = decide(quota, 9).headers("player");
        assert_eq!(
            told,
            [
                ("RateLimit-Policy", r#""player";q=10"#),
                ("RateLimit", r#""player";r=1;t=2"#),
                ("X-RateLimit-Limit", "10"),
                ("X-RateLimit-Window", "2"),
                ("X-RateLimit-Remaining", "1"),
            ]
            .map(|(name, value)| (name, value.to_owned()))
        );
        let waits = Decision { retry_after: Some(Duration::from_millis(1001)), ..decide(quota, 9) };
        assert_eq!(waits.headers("").last(), Some(&("Retry-After", "2".to_owned())));
        let never = decide(quota, 11);
        assert!(!never.allowed && never.headers("x").iter().all(|(name, _)| *name != "Retry-After"));
        let day = Duration::from_secs(86_400);
        assert_eq!(decide(Quota::new(1, day), 0).policy_header("d"), r#""d";q=1;w=86400"#);
        assert_eq!(decide(Quota::new(1, day), 0).state_header("d"), r#""d";r=1;t=0"#);
    }

    #[test]
    fn no_quota_no_headers() {
        assert_eq!(Decision::unlimited().headers("player"), []);
    }

    /// No name ends the field or the line.
    #[test]
    fn names_stay_inside_their_quotes() {
        let decision = decide(Quota::new(1, Duration::from_secs(1)), 0);
        for (name, wanted) in [
            ("", r#""""#),
            ("a b~", r#""a b~""#),
            (r#"a"b\"#, r#""a\"b\\""#),
            ("a\r\nX: \u{7f}\u{e9}\0", r#""a??X: ???""#),
        ] {
            assert_eq!(decision.policy_header(name), format!("{wanted};q=1;w=1"));
            assert_eq!(decision.state_header(name), format!("{wanted};r=1;t=0"));
        }
    }
}

//! Why something was not taken, and the HTTP answer to it.

use serde_json::json;

use crate::error::{Code, Error};
use crate::event::{Issue, ValidationError};
use crate::quota::Decision;
use crate::signing::SignatureError;

/// The name of a quota that has none.
const SCOPE_DEFAULT: &str = "default";

/// Why something was not taken, with all that an HTTP answer needs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    /// The stable code.
    pub code: Code,
    /// One sentence, without any value that was sent.
    pub message: String,
    /// What is wrong with the body, if that is why.
    pub issues: Vec<Issue>,
    /// What the quota says, if that is why.
    pub decision: Option<Box<Decision>>,
    /// Whose quota that is, and its name in headers: `ip` or `player`; `default` where nobody said.
    pub scope: &'static str,
}

impl Refusal {
    const fn because(code: Code, message: String) -> Self {
        Self { code, message, issues: Vec::new(), decision: None, scope: SCOPE_DEFAULT }
    }

    /// The stable code.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The HTTP status to answer with.
    pub const fn http_status(&self) -> u16 {
        self.code.http_status()
    }

    /// After how many seconds to try again, if that helps.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.decision.as_ref().and_then(|decision| decision.retry_after_seconds())
    }

    /// A problem document (RFC 9457), for `application/problem+json`.
    pub fn problem(&self) -> serde_json::Value {
        let mut problem = json!({
            "type": format!("urn:liveops:error:{}", self.code),
            "title": self.code.description(),
            "status": self.http_status(),
            "code": self.code,
            "detail": self.message,
        });
        if !self.issues.is_empty() {
            problem["issues"] = json!(self.issues);
        }
        if let Some(seconds) = self.retry_after_seconds() {
            problem["retryAfterSeconds"] = json!(seconds);
        }
        problem
    }

    /// Headers that belong to the answer.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![("Content-Type", "application/problem+json".to_owned())];
        headers.extend(self.decision.iter().flat_map(|decision| decision.headers(self.scope)));
        headers
    }
}

impl From<ValidationError> for Refusal {
    fn from(error: ValidationError) -> Self {
        Self { issues: error.issues().to_vec(), ..Self::because(error.code(), error.to_string()) }
    }
}

impl From<SignatureError> for Refusal {
    fn from(error: SignatureError) -> Self {
        Self::because(error.code(), error.message().to_owned())
    }
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        Self::because(code, code.description().to_owned())
    }
}

impl From<Decision> for Refusal {
    fn from(decision: Decision) -> Self {
        Self { decision: Some(Box::new(decision)), ..decision.code.unwrap_or(Code::RateLimited).into() }
    }
}

/// What the engine refused, with the issues of a line that was no event.
impl From<&Error> for Refusal {
    fn from(error: &Error) -> Self {
        use std::error::Error as _;
        match error.source().and_then(|source| source.downcast_ref::<ValidationError>()) {
            Some(validation) => validation.clone().into(),
            None => error.code().into(),
        }
    }
}

//! Errors on their way to JavaScript: the message is a JSON text, which `lib/errors.js` turns into a class.

use liveops_core::board::{BatchError, TiersError};
use liveops_core::error::StoreError;
use liveops_core::event::ValidationError;
use liveops_core::progress::CurveError;
use liveops_core::record::AdvanceError;
use liveops_core::reward::{LootError, ReceiptError};
use liveops_core::rules::RulesError;
use liveops_core::signing::SignatureError;
use liveops_core::{Code, Error, Refusal};
use serde::Serialize;
use serde_json::{Value, json};

/// What a call answers. (Named so, because the macro of napi looks for this name.)
pub(crate) type Result<T, E = napi::Error> = std::result::Result<T, E>;

/// An error that JavaScript can tell apart.
pub(crate) trait Failure {
    /// `kind` chooses the class; `code` and `message` are always there.
    fn details(&self) -> Value;

    /// The same with the code's HTTP status.
    fn describe(&self) -> Value {
        let mut told = self.details();
        let code = told["code"].as_str().and_then(Code::from_text);
        told["httpStatus"] = code.map(Code::http_status).into();
        told
    }
}

/// Lets `?` follow any call of the core.
pub(crate) trait OrThrow<T> {
    /// The value, or what JavaScript throws.
    fn or_throw(self) -> Result<T>;
}

impl<T, E: Failure> OrThrow<T> for Result<T, E> {
    fn or_throw(self) -> Result<T> {
        self.map_err(|error| napi::Error::from_reason(error.describe().to_string()))
    }
}

/// A value as JSON text.
pub(crate) fn text(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| napi::Error::from_reason(error.to_string()))
}

impl Failure for Code {
    fn details(&self) -> Value {
        let kind = match self {
            Self::InvalidArgument | Self::OutOfRange => "argument",
            code if is_store(*code) => "store",
            _ => "liveops",
        };
        json!({ "kind": kind, "code": self, "message": format!("{self}: {}", self.description()) })
    }
}

/// Whether it is of the store, and not of what was asked.
fn is_store(code: Code) -> bool {
    Code::GROUPS.iter().any(|(group, codes)| group.starts_with("Store") && codes.contains(&code))
}

/// An argument that is none, and what would be one.
pub(crate) struct Argument(pub(crate) Code, pub(crate) &'static str);

impl Failure for Argument {
    fn details(&self) -> Value {
        json!({ "kind": "argument", "code": self.0, "message": self.1 })
    }
}

/// An error of one value of many.
pub(crate) struct At<E> {
    /// Which of them.
    pub(crate) index: usize,
    /// What is wrong with it.
    pub(crate) error: E,
}

impl<E: Failure> Failure for At<E> {
    fn details(&self) -> Value {
        let mut told = self.error.details();
        told["index"] = self.index.into();
        told
    }
}

impl Failure for Error {
    fn details(&self) -> Value {
        use std::error::Error as _;
        if let Some(store) = self.source().and_then(|source| source.downcast_ref::<StoreError>()) {
            return store.details();
        }
        let mut told = self.code().details();
        if let Some(wrong) = self.source().and_then(|source| source.downcast_ref::<AdvanceError>()) {
            told["message"] = format!("{}: {wrong}", self.code()).into();
        }
        told
    }
}

impl Failure for BatchError {
    fn details(&self) -> Value {
        let mut told = self.error.details();
        told["index"] = self.index.into();
        told
    }
}

impl Failure for TiersError {
    fn details(&self) -> Value {
        json!({ "kind": "argument", "code": self.code(), "message": self.to_string() })
    }
}

impl Failure for CurveError {
    fn details(&self) -> Value {
        json!({ "kind": "argument", "code": self.code(), "message": self.to_string() })
    }
}

impl Failure for LootError {
    fn details(&self) -> Value {
        json!({ "kind": "argument", "code": self.code(), "message": self.to_string() })
    }
}

/// The one issue of a text that is no receipt.
impl Failure for ReceiptError {
    fn details(&self) -> Value {
        let issue = json!({ "code": self.code, "path": self.path, "message": self.message });
        json!({ "kind": "validation", "code": self.code, "message": self.to_string(), "issues": [issue] })
    }
}

impl Failure for StoreError {
    fn details(&self) -> Value {
        let cause = self.source.as_ref().map(ToString::to_string);
        json!({ "kind": "store", "code": self.kind.code(), "message": self.to_string(), "cause": cause })
    }
}

impl Failure for RulesError {
    fn details(&self) -> Value {
        json!({ "kind": "rules", "code": self.code(), "message": self.to_string(), "path": self.path,
            "issue": self.issue, "advice": self.message })
    }
}

impl Failure for SignatureError {
    fn details(&self) -> Value {
        json!({ "kind": "signature", "code": self.code(), "message": self.to_string() })
    }
}

impl Failure for ValidationError {
    fn details(&self) -> Value {
        json!({ "kind": "validation", "code": self.code(), "message": self.to_string(), "issues": self.issues() })
    }
}

impl Failure for Refusal {
    fn details(&self) -> Value {
        json!({ "kind": "refusal", "code": self.code, "message": self.to_string(), "issues": self.issues,
            "problem": self.problem(), "headers": self.headers(),
            "retryAfter": self.retry_after_seconds() })
    }
}

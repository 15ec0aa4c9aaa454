//! What became of commands. A batch stays here until JavaScript asks for a row.

use liveops_core::{Batch, Code, Outcome, Refusal};
use napi_derive::napi;
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::failure::{Failure as _, Result, text};

/// One outcome in the shape that `lib/outcome.js` reads.
pub(crate) struct Told(pub(crate) Outcome);

impl Serialize for Told {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut told = to.serialize_struct("Outcome", 3)?;
        told.serialize_field("status", self.0.status())?;
        told.serialize_field("code", self.0.code())?;
        match &self.0 {
            Outcome::Applied(effect) | Outcome::Replayed(effect) => told.serialize_field("effect", effect)?,
            Outcome::Refused(error) | Outcome::Unknown(error) => {
                told.serialize_field("refusal", &Refusal::from(error).describe())?;
            }
            other => told.serialize_field("refusal", &json!({ "code": other.code() }))?,
        }
        told.end()
    }
}

/// The outcomes of a batch, in the order of its rows.
#[napi]
#[derive(Debug)]
pub struct Outcomes(pub(crate) Batch);

#[napi]
impl Outcomes {
    /// How many.
    #[napi(getter)]
    pub fn length(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    /// Lets go of them.
    #[napi]
    pub fn close(&mut self) {
        self.0 = Batch::default();
    }

    /// A stretch of them as a JSON array.
    #[napi]
    pub fn slice(&self, from: u32, until: u32) -> Result<String> {
        let rows = (from as usize)..(until as usize).min(self.0.len());
        text(&rows.filter_map(|at| self.0.get(at)).map(Told).collect::<Vec<_>>())
    }

    /// How many by code, as a JSON object.
    #[napi]
    pub fn counts(&self) -> Result<String> {
        text(&self.0.counts())
    }
}

/// Of a row that is no command.
pub(crate) fn no_command() -> Outcome {
    Outcome::Refused(Code::InvalidArgument.into())
}

//! The few bytes beside the records.

use liveops_core::error::StoreError;
use liveops_core::record::Header;
use redis::Value;

use crate::error::lost_partition;
use crate::inner::{Inner, script_value};
use crate::reply;
use crate::script;

impl Inner {
    pub(crate) async fn header(&self) -> Result<Header, StoreError> {
        let mut command = redis::cmd("HMGET");
        command.arg(&self.layout.global).arg("g").arg("h");
        let answer = self.link.one(self.global_ask(command)).await.and_then(reply::fields);
        let [generation, header] = answer.map_err(|fault| fault.of_reading())?;
        if generation.as_deref() != Some(self.generation.as_bytes()) {
            return Err(lost_partition());
        }
        Ok(header.map_or(Ok(Header::default()), |bytes| Header::decode(&bytes))?)
    }

    pub(crate) async fn replace_header(&self, expected: &Header, new: &Header) -> Result<bool, StoreError> {
        let is_none = *expected == Header::default();
        let mut call = self.global_call(&script::HEADER);
        call.arg(expected.encode()).arg(u8::from(is_none)).arg(new.encode());
        let answer = script::HEADER.run_one(&self.link, self.global_ask(call), self.replicas).await;
        Ok(script_value(answer)? == Value::Int(1))
    }
}

//! A row of the log, as it is ingested and as queries return it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::clock::datetime;
use crate::contract::error::Error;
use crate::format::FORMAT;
use crate::format::json::whole;
use crate::format::values::hash::Hash;

/// `kind` of a row that is a checkpoint, or a part of one.
pub(crate) const CHECKPOINT: &str = "checkpoint";
/// `kind` of a row that is a pending write, or a part of one.
pub(crate) const WRITE: &str = "write";
/// What `kind` and `row_id` begin with while a copy is incomplete: no reader looks for such rows.
pub(crate) const STAGED: &str = "staged-";
/// `kind` of a row that is a chunk.
pub(crate) const CHUNK: &str = "chunk";
/// `kind` of a row that hides what its thread had before it; if the row names a checkpoint, only
/// that one with its writes.
pub(crate) const TOMBSTONE: &str = "tombstone";

/// The most bytes of `data` in one row. Longer data is split into several rows. The service
/// silently truncates text over 1 MB if a column is not prepared for it.
pub(crate) const DATA_BYTES_MAX: usize = 512 * 1024;

/// A checkpoint's thread id, namespace and id.
pub(crate) type CheckpointKey = (String, String, String);

/// One row. The fields have the names of the columns. An empty optional field is not sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct LogRow {
    pub(crate) kind: String,
    pub(crate) thread_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) checkpoint_ns: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) checkpoint_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) parent_checkpoint_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) task_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) task_path: String,
    pub(crate) idx: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) channel: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) hash: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) refs: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) channels: Vec<String>,
    #[serde(flatten)]
    pub(crate) copies: Copies,
    pub(crate) encoding: Encoding,
    pub(crate) data: String,
    pub(crate) part: i64,
    pub(crate) parts: i64,
    pub(crate) created_at: String,
    pub(crate) rev: i64,
    pub(crate) row_id: String,
    pub(crate) format: i64,
    /// Whether the row is acknowledged and not ingested yet. When it is ingested it will be newer
    /// than every deletion by another process, so no tombstone hides it.
    #[serde(skip)]
    pub(crate) waits: bool,
}

/// Copies of what `data` holds, for people and for conditions that narrow a query. They are never
/// read back.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Copies {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) metadata: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) step: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) run_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<serde_json::Value>,
}

/// How `data` encodes bytes as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Encoding {
    /// The bytes are UTF-8 text.
    #[default]
    Text,
    /// The bytes are in base64.
    Base64,
}

/// The content of a checkpoint's `data`, which is JSON.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct CheckpointData {
    pub(crate) ts: String,
    pub(crate) parent: Option<String>,
    pub(crate) metadata: String,
    /// `Text` if the metadata is JSON; conditions apply only to that.
    pub(crate) metadata_encoding: Encoding,
    /// The run, if the metadata does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) run_id: Option<String>,
    /// The envelope in base64.
    pub(crate) envelope: String,
}

impl LogRow {
    /// A row of this kind, with the fields that every row has.
    pub(crate) fn new(kind: &str, thread_id: &str, rev: i64, row_id: String, now: u64) -> Self {
        Self {
            kind: kind.to_owned(),
            thread_id: thread_id.to_owned(),
            parts: 1,
            created_at: datetime(now),
            rev,
            row_id,
            format: i64::from(FORMAT),
            ..Self::default()
        }
    }

    /// The row with this data, or several rows if it is long. The first part comes last, so that if
    /// it is stored, all parts are.
    pub(crate) fn holding(mut self, encoding: Encoding, data: String) -> Vec<Self> {
        self.encoding = encoding;
        if data.len() <= DATA_BYTES_MAX {
            self.data = data;
            return vec![self];
        }
        let mut pieces = Vec::new();
        let mut rest = data.as_str();
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.floor_char_boundary(DATA_BYTES_MAX));
            pieces.push(piece);
            rest = after;
        }
        let parts = pieces.len() as i64;
        let bare = Self { copies: Copies::default(), refs: Vec::new(), ..self.clone() };
        let mut rows = Vec::with_capacity(pieces.len());
        for (part, piece) in pieces.into_iter().enumerate().rev() {
            let like = if part == 0 { &self } else { &bare };
            let data = piece.to_owned();
            rows.push(Self { data, part: part as i64, parts, ..like.clone() });
        }
        rows
    }

    /// The key of the checkpoint that it is, belongs to, or hides.
    pub(crate) fn place(&self) -> CheckpointKey {
        (self.thread_id.clone(), self.checkpoint_ns.clone(), self.checkpoint_id.clone())
    }

    /// Whether it is a tombstone of a whole thread.
    pub(crate) fn hides_a_thread(&self) -> bool {
        self.kind == TOMBSTONE && self.checkpoint_id.is_empty()
    }

    /// The row as a line of JSON.
    pub(crate) fn line(&self) -> Result<String, Error> {
        serde_json::to_string(self)
            .map_err(|error| Error::protocol("encoding-failed", format!("cannot encode: {error}")))
    }

    /// The bytes in `data`; `None` if it is not valid base64.
    pub(crate) fn bytes(&self) -> Option<Vec<u8>> {
        self.encoding.decode(&self.data)
    }
}

impl Encoding {
    /// Encodes bytes: as text if they are UTF-8 without U+0000, else in base64.
    pub(crate) fn of(bytes: Vec<u8>) -> (Self, String) {
        match String::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => (Self::Text, text),
            Ok(text) => (Self::Base64, STANDARD.encode(text)),
            Err(error) => (Self::Base64, STANDARD.encode(error.as_bytes())),
        }
    }

    /// Bytes as base64.
    pub(crate) fn base64(bytes: &[u8]) -> (Self, String) {
        (Self::Base64, STANDARD.encode(bytes))
    }

    /// Decodes bytes; `None` if the text is not valid base64.
    pub(crate) fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Text => Some(text.as_bytes().to_vec()),
            Self::Base64 => STANDARD.decode(text).ok(),
        }
    }
}

/// A hash as the column holds it: base64url without padding.
pub(crate) fn hash_text(hash: &Hash) -> String {
    URL_SAFE_NO_PAD.encode(hash.as_bytes())
}

/// The copies of a checkpoint's metadata.
pub(crate) fn copies(metadata: &str) -> Copies {
    /// Longer metadata is left out: the service drops a dynamic value over 1 MiB.
    const COPY_BYTES_MAX: usize = 256 * 1024;
    let Ok(value) = serde_json::from_str::<serde_json::Value>(metadata) else {
        return Copies::default();
    };
    let text = |key: &str| value.get(key).and_then(|value| value.as_str()).map(str::to_owned);
    Copies {
        source: text("source"),
        step: value.get("step").and_then(whole_number),
        run_id: text("run_id"),
        metadata: (value.is_object() && metadata.len() <= COPY_BYTES_MAX).then_some(value),
        state: None,
    }
}

/// A JSON number as an integer, in any notation; `None` if it is not one.
fn whole_number(value: &serde_json::Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().and_then(whole))
}

/// The members of a JSON object, each as its text.
pub(crate) type Members<'a> = std::collections::BTreeMap<String, &'a RawValue>;

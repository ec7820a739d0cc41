//! The parameters of a query, as the service reads them.

use serde_json::Value;

use super::literal::quoted;

/// A query has at most this many conditions on metadata. The guest checks all of them itself.
pub(crate) const FILTERS_MAX: usize = 8;

/// The parameters of a query by name.
pub(crate) type Parameters = Vec<(&'static str, Parameter)>;

/// The value of a parameter.
#[derive(Clone, Debug)]
pub(crate) enum Parameter {
    Text(String),
    Long(i64),
    Real(f64),
    Texts(Vec<String>),
    Longs(Vec<i64>),
}

impl Parameter {
    /// The name of its type in KQL.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "string",
            Self::Long(_) => "long",
            Self::Real(_) => "real",
            Self::Texts(_) | Self::Longs(_) => "dynamic",
        }
    }

    /// The value for the service, which reads it as a literal of its type. Text is passed as a
    /// quoted literal, so that text with quotes in it has only one meaning.
    pub(crate) fn value(&self) -> Value {
        match self {
            Self::Text(text) => Value::String(quoted(text)),
            Self::Long(long) => Value::from(*long),
            Self::Real(real) => Value::String(format!("real({real:?})")),
            Self::Texts(texts) => {
                let texts: Vec<_> = texts.iter().map(|text| quoted(text)).collect();
                Value::String(format!("dynamic([{}])", texts.join(",")))
            }
            Self::Longs(longs) => {
                let longs: Vec<_> = longs.iter().map(i64::to_string).collect();
                Value::String(format!("dynamic([{}])", longs.join(",")))
            }
        }
    }
}

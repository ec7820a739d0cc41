//! Questions about the login of a Kusto cluster.

use crate::contract::error::Error;
use crate::contract::http::{HttpResponse, Moment};
use crate::format::read::{Read, Reader, decode};
use crate::stores::kusto::connection::{self, ClientSecret};
use crate::stores::kusto::token;

use super::read::malformed;
use super::write::Writer;

enum Question {
    /// What a connection string says.
    ConnectionString(String),
    /// The request that gets a token for a cluster, from this login endpoint if one is given.
    TokenRequest(ClientSecret, String, Option<String>),
    /// The token in the response to that request.
    Token(HttpResponse, Moment),
}

impl Read for Question {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.array(|reader, fields| {
            Some(match (super::read::count(reader)?, fields) {
                (0, 2) => Self::ConnectionString(Read::read(reader)?),
                (1, 6) => {
                    let tenant = Read::read(reader)?;
                    let (client_id, secret) = (Read::read(reader)?, Read::read(reader)?);
                    let credentials = ClientSecret { tenant, client_id, secret };
                    Self::TokenRequest(credentials, Read::read(reader)?, Read::read(reader)?)
                }
                (2, 3) => Self::Token(Read::read(reader)?, Read::read(reader)?),
                _ => return None,
            })
        })
    }
}

pub(super) fn login(question: &[u8], writer: &mut Writer) -> Result<(), Error> {
    match decode(question).ok_or_else(|| malformed("question"))? {
        Question::ConnectionString(text) => writer.connection(&connection::parse(&text)?),
        Question::TokenRequest(credentials, cluster_uri, authority) => {
            let request = token::request(&credentials, &cluster_uri, authority.as_deref())?;
            writer.token_request(&request);
        }
        Question::Token(response, at) => writer.token(&token::read(&response, at)?),
    }
    Ok(())
}

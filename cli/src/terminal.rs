//! Asks the person at the terminal.

use std::io::{BufRead, IsTerminal, Write};

use crate::failure::{Failure, Result};

/// Whether a person can be asked.
pub(crate) fn is_there() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks a question. Whether the answer is yes.
pub(crate) fn is_answered_yes(question: &str) -> Result<bool> {
    let mut answer = String::new();
    let mut err = std::io::stderr();
    write!(err, "{question} [y/N] ")
        .and_then(|()| err.flush())
        .and_then(|()| std::io::stdin().lock().read_line(&mut answer))
        .map_err(|error| Failure::io("the terminal cannot be read", &error))?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

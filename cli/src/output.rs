//! What commands print: tables for people, JSON for programs.

use std::io::{ErrorKind, IsTerminal, Write};

use serde_json::Value;

use crate::data;
use crate::failure::{Failure, Result};

/// The longest cell of a table, in UTF-16 code units, as the npm package's program counts them.
const WIDTH_MAX: usize = 60;

/// A column: its title, and the cell of a row.
pub(crate) type Column<Row> = (&'static str, fn(&Row) -> Value);

/// Prints rows as JSON, one a line, or as a table.
pub(crate) fn print<Row>(
    rows: &[Row],
    json: bool,
    whole: fn(&Row) -> Value,
    columns: &[Column<Row>],
) -> Result<()> {
    print_page(rows, json, ("", None), whole, columns)
}

/// Prints a part of a list, and the value of the option that goes on after it.
pub(crate) fn print_page<Row>(
    rows: &[Row],
    json: bool,
    (option, next): (&str, Option<String>),
    whole: fn(&Row) -> Value,
    columns: &[Column<Row>],
) -> Result<()> {
    if json {
        let mut values: Vec<Value> = rows.iter().map(whole).collect();
        if let (Some(Value::Object(last)), Some(next)) = (values.last_mut(), next) {
            last.insert("next".to_owned(), next.into());
        }
        return write(&values.iter().map(data::line).collect::<String>());
    }
    let titles = columns.iter().map(|(title, _)| (*title).to_owned()).collect();
    let cells =
        rows.iter().map(|row| columns.iter().map(|(_, cell)| text_of(&cell(row))).collect());
    write(&table(&[titles].into_iter().chain(cells).collect::<Vec<_>>()))?;
    if let Some(next) = next {
        say(&format!("there are more: add {option} {next}"));
    }
    Ok(())
}

/// Prints one thing as JSON, over several lines for people.
pub(crate) fn print_json(value: &Value, json: bool) -> Result<()> {
    write(&if json { data::line(value) } else { data::lines(value) })
}

/// Writes to standard output. A reader who has seen enough is no failure.
pub(crate) fn write(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::io("the output cannot be written", &error))
        }
        _ => Ok(()),
    }
}

/// Writes words to standard output, and nothing in them that a terminal would obey.
pub(crate) fn write_words(text: &str) -> Result<()> {
    write(&plain(text))
}

/// Says something on standard error, in lines that no terminal obeys.
pub(crate) fn say(text: &str) {
    eprintln!("{}", plain(text));
}

/// Text without characters that a terminal would obey, save those that end a line.
fn plain(text: &str) -> String {
    text.replace(data::is_obeyed, "\u{b7}")
}

fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|it| width_of(it)).max();
    let widths: Vec<usize> = (0..columns).map(|at| width(at).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let padded = row.iter().zip(&widths).map(|(cell, width)| {
            let spaces = width.saturating_sub(width_of(cell));
            format!("{cell}{}", " ".repeat(spaces))
        });
        format!("{}\n", padded.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

fn width_of(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Text in one line, without characters that a terminal would obey.
fn text_of(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => data::compact(other),
    };
    let line = plain(&text).replace('\n', "\u{b7}");
    if width_of(&line) <= WIDTH_MAX {
        return line;
    }
    let kept: Vec<u16> = line.encode_utf16().take(WIDTH_MAX - 1).collect();
    format!("{}\u{2026}", String::from_utf16_lossy(&kept))
}

/// Shows at a terminal how far a command is.
pub(crate) fn show_progress(threads: u64, checkpoints: u64) {
    if std::io::stderr().is_terminal() {
        eprint!("\r{threads} threads, {checkpoints} checkpoints \r");
    }
}

/// Bytes in words.
pub(crate) fn size_of(bytes: u64) -> String {
    let (by, unit) = match bytes {
        0..1_000 => return format!("{bytes} B"),
        1_000..1_000_000 => (1e3, "KB"),
        1_000_000..1_000_000_000 => (1e6, "MB"),
        _ => (1e9, "GB"),
    };
    #[expect(clippy::cast_precision_loss, reason = "one digit after the point is shown")]
    let size = bytes as f64 / by;
    // A half is rounded up.
    let size = if (size * 4.0) % 2.0 == 1.0 { size.next_up() } else { size };
    format!("{size:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_one_digit_and_halves_are_rounded_up() {
        let sizes = [0, 999, 1_000, 1_150, 1_250, 1_999_999, 2_000_000_000].map(size_of);
        assert_eq!(sizes, ["0 B", "999 B", "1.0 KB", "1.1 KB", "1.3 KB", "2.0 MB", "2.0 GB"]);
    }

    #[test]
    fn a_cell_is_one_line_of_at_most_sixty_signs_that_no_terminal_obeys() {
        assert_eq!(text_of(&"a\u{1b}[31m\nb".into()), "a\u{b7}[31m\u{b7}b");
        let long = text_of(&"x".repeat(61).into());
        assert_eq!((width_of(&long), long.ends_with("x\u{2026}")), (60, true));
        assert_eq!(text_of(&"x".repeat(60).into()), "x".repeat(60));
    }
}

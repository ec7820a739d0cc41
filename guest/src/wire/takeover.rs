//! Questions about a stock database.

use super::read::{count, malformed};
use super::write::{Writer, case};
use crate::contract::call::{ChannelValue, Config, Id, NewValue, Payload, Put, PutWrites};
use crate::contract::error::Error;
use crate::contract::lifecycle::Language;
use crate::contract::outcome::{CheckpointTuple, Exported, PlacedWrite};
use crate::contract::statement::{RowSet, Statement, Value};
use crate::format::read::{Read, Reader, decode};
use crate::stores::{StockInsert, StockInserts, StockStatements, Store};
use crate::takeover::{
    Layout, NewStockRows, Note, StockRows, Takeover, shared_by_forks, stock_rows, takeover,
};

enum Question {
    FindTables,
    Statements(RowSet),
    Calls(StockRows),
    SharedByForks(RowSet),
    Inserts(Language, RowSet),
    Rows(Language, Box<Exported>),
}

impl Read for Question {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.array(|reader, fields| {
            Some(match (count(reader)?, fields) {
                (0, 1) => Self::FindTables,
                (1, 2) => Self::Statements(Read::read(reader)?),
                (2, 5) => {
                    let (thread_id, checkpoint_ns, checkpoint_id) = Read::read(reader)?;
                    let (checkpoint, writes) = (Read::read(reader)?, Read::read(reader)?);
                    let values = Read::read(reader)?;
                    Self::Calls(StockRows {
                        thread_id,
                        checkpoint_ns,
                        checkpoint_id,
                        checkpoint,
                        writes,
                        values,
                    })
                }
                (3, 2) => Self::SharedByForks(Read::read(reader)?),
                (4, 3) => Self::Inserts(language(reader)?, Read::read(reader)?),
                (5, 7) => Self::Rows(language(reader)?, Box::new(exported(reader)?)),
                _ => return None,
            })
        })
    }
}

fn language(reader: &mut Reader<'_>) -> Option<Language> {
    match count(reader)? {
        0 => Some(Language::JavaScript),
        1 => Some(Language::Python),
        _ => None,
    }
}

/// What an export gave, without `next`.
fn exported(reader: &mut Reader<'_>) -> Option<Exported> {
    Some(Exported {
        thread_id: Read::read(reader)?,
        checkpoint_ns: Read::read(reader)?,
        checkpoint_id: Read::read(reader)?,
        checkpoint: Read::read(reader)?,
        writes: Read::read(reader)?,
        next: Vec::new(),
    })
}

impl Read for CheckpointTuple {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.fields(10, |reader| {
            Some(Self {
                thread_id: Read::read(reader)?,
                checkpoint_ns: Read::read(reader)?,
                checkpoint_id: Read::read(reader)?,
                parent_checkpoint_id: Read::read(reader)?,
                v: reader.real()?,
                ts: Read::read(reader)?,
                channel_versions: Read::read(reader)?,
                channel_values: Vec::<(String, Payload)>::read(reader)?
                    .into_iter()
                    .map(|(channel, value)| ChannelValue { channel, value })
                    .collect(),
                rest: Read::read(reader)?,
                metadata: Read::read(reader)?,
                pending_writes: Vec::new(),
                pending_sends: None,
            })
        })
    }
}

impl Read for PlacedWrite {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        reader.fields(5, |reader| {
            Some(Self {
                task_id: Read::read(reader)?,
                task_path: Read::read(reader)?,
                idx: place(reader)?,
                channel: Read::read(reader)?,
                value: Read::read(reader)?,
            })
        })
    }
}

/// A place, which JavaScript sends as a double.
#[expect(clippy::cast_possible_truncation, reason = "one that does not convert exactly is refused")]
fn place(reader: &mut Reader<'_>) -> Option<i64> {
    let number = reader.real()?;
    let whole = number as i64;
    (whole as f64 == number).then_some(whole)
}

pub(super) fn answer(store: &Store, question: &[u8], writer: &mut Writer) -> Result<(), Error> {
    match decode(question).ok_or_else(|| malformed("question"))? {
        Question::FindTables => writer.find_tables(&store.find_stock_tables()?),
        Question::Statements(tables) => writer.stock_statements(&store.stock_statements(&tables)?),
        Question::Calls(rows) => writer.takeover(&takeover(&rows)?),
        Question::SharedByForks(rows) => {
            writer.array(2);
            writer.number(0);
            writer.notes(&shared_by_forks(&rows)?);
        }
        Question::Inserts(language, tables) => {
            writer.stock_inserts(&store.stock_inserts(&tables, language)?);
        }
        Question::Rows(language, exported) => {
            let has_values_beside = store.has_stock_values_beside();
            writer.stock_rows(&stock_rows(Layout { language, has_values_beside }, &exported));
        }
    }
    Ok(())
}

impl Writer {
    /// Writes the statement that finds stock tables.
    fn find_tables(&mut self, statement: &Statement) {
        self.array(3);
        self.number(0);
        self.text(&statement.text);
        self.list(&statement.parameters, |writer, row| writer.list(row, Self::value));
    }

    /// Writes the statements that read a stock database.
    fn stock_statements(&mut self, statements: &StockStatements) {
        let StockStatements { threads, checkpoints, checkpoint, writes, values, shared } =
            statements;
        self.array(7);
        self.number(0);
        for text in [threads, checkpoints, checkpoint, writes] {
            self.text(text);
        }
        for text in [values, shared] {
            self.optional(text.as_ref(), |writer, text| writer.text(text));
        }
    }

    /// Writes the statements that write a stock database.
    fn stock_inserts(&mut self, inserts: &StockInserts) {
        let StockInserts { create, stored, checkpoint, value, write } = inserts;
        let insert = |writer: &mut Self, StockInsert { insert, same }: &StockInsert| {
            writer.array(2);
            writer.text(insert);
            writer.text(same);
        };
        self.array(6);
        self.number(0);
        self.list(create, |writer, text| writer.text(text));
        self.text(stored);
        insert(self, checkpoint);
        self.optional(value.as_ref(), insert);
        insert(self, write);
    }

    /// Writes rows of a stock database.
    fn stock_rows(&mut self, rows: &NewStockRows) {
        let row = |writer: &mut Self, row: &Vec<Value>| writer.list(row, Self::value);
        self.array(6);
        self.number(0);
        self.optional(rows.checkpoint.as_ref(), row);
        self.list(&rows.values, row);
        self.list(&rows.writes, row);
        self.notes(&rows.notes);
        self.notes(&rows.problems);
    }

    /// Writes the calls that take a stock checkpoint over.
    fn takeover(&mut self, takeover: &Takeover) {
        let Takeover { writes, put, notes } = takeover;
        self.array(3);
        self.number(0);
        self.array(writes.len() + usize::from(put.is_some()));
        writes.iter().for_each(|writes| self.put_writes(writes));
        if let Some(put) = put {
            self.put(put);
        }
        self.notes(notes);
    }

    fn notes(&mut self, notes: &[Note]) {
        self.list(notes, |writer, note| {
            writer.array(2);
            writer.text(note.code);
            writer.text(&note.message);
        });
    }

    fn put_writes(&mut self, call: &PutWrites) {
        case(self, 4, 4);
        self.config(&call.config);
        self.list(&call.writes, |writer, write| {
            writer.array(2);
            writer.text(&write.channel);
            writer.payload(&write.value);
        });
        self.id(&call.task_id);
        self.text(&call.task_path);
    }

    fn put(&mut self, call: &Put) {
        case(self, 3, 6);
        self.config(&call.config);
        let checkpoint = &call.checkpoint;
        self.array(6);
        self.id(&checkpoint.id);
        self.real(checkpoint.v);
        self.text(&checkpoint.ts);
        self.list(&checkpoint.channel_versions, Self::version);
        self.list(&checkpoint.channel_values, |writer, entry| {
            writer.array(2);
            writer.text(&entry.channel);
            match &entry.value {
                NewValue::Whole(payload) => writer.payload(payload),
                // A put of a takeover has whole values.
                NewValue::Edited(_) | NewValue::Unchanged => writer.nil(),
            }
        });
        self.payload(&checkpoint.rest);
        self.payload(&call.metadata);
        self.list(&call.new_versions, |writer, name| writer.text(name));
        self.id(&call.run_id);
        self.optional(call.known.as_ref(), |writer, known| writer.bytes(known));
    }

    fn config(&mut self, config: &Config) {
        self.array(4);
        for id in
            [&config.thread_id, &config.checkpoint_ns, &config.checkpoint_id, &config.thread_ts]
        {
            self.id(id);
        }
    }

    fn id(&mut self, id: &Id) {
        match id {
            Id::Absent => self.nil(),
            Id::Text(text) => self.text(text),
            Id::Number(number) => self.real(*number),
            Id::Unsupported(kind) => {
                self.array(1);
                self.text(kind);
            }
        }
    }
}

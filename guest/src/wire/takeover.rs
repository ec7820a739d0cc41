//! Questions about a stock database.

use super::read::{count, malformed};
use super::write::{Writer, case};
use crate::contract::call::{Config, Id, NewValue, Put, PutWrites};
use crate::contract::error::Error;
use crate::contract::statement::{RowSet, Statement};
use crate::format::read::{Read, Reader, decode};
use crate::stores::{StockStatements, Store};
use crate::takeover::{Note, StockRows, Takeover, shared_by_forks, takeover};

enum Question {
    FindTables,
    Statements(RowSet),
    Calls(StockRows),
    SharedByForks(RowSet),
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
                _ => return None,
            })
        })
    }
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

//! The arguments of each command.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory, Parser};

use crate::failure::{Failure, Result};
use crate::likely::likely;

#[derive(Parser)]
#[command(
    name = "langgraph-checkpoint-wasm",
    disable_help_flag = true,
    disable_help_subcommand = true
)]
pub(crate) enum Command {
    Threads(Threads),
    Namespaces(Namespaces),
    History(History),
    Show(Show),
    Diff(Diff),
    Du(OneOrAll),
    Verify(OneOrAll),
    Copy(Copy),
    Prune(Prune),
    Expire(Expire),
    Delete(Delete),
    DeleteRuns(DeleteRuns),
    Vacuum(Vacuum),
    Import(Import),
    Export(Export),
    Sql(Sql),
}

/// Which store, and how to print.
#[derive(Args)]
pub(crate) struct Store {
    #[arg(value_name = "STORE")]
    pub(crate) location: String,
    #[arg(long)]
    pub(crate) json: bool,
    #[arg(long, default_value = "public")]
    pub(crate) schema: String,
    #[arg(long)]
    pub(crate) table: Option<String>,
}

#[derive(Args)]
pub(crate) struct Threads {
    #[command(flatten)]
    pub(crate) store: Store,
    #[arg(long, default_value = "100")]
    pub(crate) limit: String,
    #[arg(long)]
    pub(crate) after: Option<String>,
    #[arg(long)]
    pub(crate) prefix: Option<String>,
    #[arg(long)]
    pub(crate) idle_since: Option<String>,
    #[arg(long)]
    pub(crate) meta: Vec<String>,
}

#[derive(Args)]
pub(crate) struct Namespaces {
    #[command(flatten)]
    pub(crate) store: Store,
    #[arg(value_name = "THREAD")]
    pub(crate) thread: String,
}

#[derive(Args)]
pub(crate) struct History {
    #[command(flatten)]
    pub(crate) store: Store,
    #[arg(value_name = "THREAD")]
    pub(crate) thread: String,
    #[arg(long, default_value = "")]
    pub(crate) ns: String,
    #[arg(long, default_value = "100")]
    pub(crate) limit: String,
    #[arg(long)]
    pub(crate) before: Option<String>,
}

#[derive(Args)]
pub(crate) struct Show {
    #[command(flatten)]
    pub(crate) store: Store,
    #[arg(value_name = "THREAD")]
    pub(crate) thread: String,
    pub(crate) checkpoint: Option<String>,
    #[arg(long, default_value = "")]
    pub(crate) ns: String,
}

#[derive(Args)]
pub(crate) struct Diff {
    #[command(flatten)]
    pub(crate) store: Store,
    #[arg(value_name = "THREAD")]
    pub(crate) thread: String,
    #[arg(value_name = "CHECKPOINT")]
    pub(crate) checkpoint: String,
    pub(crate) before: Option<String>,
    #[arg(long, default_value = "")]
    pub(crate) ns: String,
    #[arg(long)]
    pub(crate) values: bool,
}

/// What a command takes that is about one thread, or about all.
#[derive(Args)]
pub(crate) struct OneOrAll {
    #[command(flatten)]
    pub(crate) store: Store,
    pub(crate) thread: Option<String>,
}

#[derive(Args)]
pub(crate) struct Copy {
    #[command(flatten)]
    pub(crate) store: Store,
    #[arg(value_name = "THREAD")]
    pub(crate) source: String,
    #[arg(value_name = "NEW-THREAD")]
    pub(crate) target: String,
    #[arg(long)]
    pub(crate) latest: bool,
}

/// Whether something may be removed.
#[derive(Args)]
pub(crate) struct Removing {
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[arg(long)]
    pub(crate) yes: bool,
}

/// What stays.
#[derive(Args)]
pub(crate) struct Keeping {
    #[arg(long, default_value = "keep_latest")]
    pub(crate) strategy: String,
    #[arg(long)]
    pub(crate) keep_last: Option<String>,
    #[arg(long)]
    pub(crate) newer_than: Option<String>,
}

#[derive(Args)]
pub(crate) struct Prune {
    #[command(flatten)]
    pub(crate) store: Store,
    #[arg(value_name = "THREAD", required = true)]
    pub(crate) threads: Vec<String>,
    #[command(flatten)]
    pub(crate) keeping: Keeping,
    #[command(flatten)]
    pub(crate) removing: Removing,
}

#[derive(Args)]
pub(crate) struct Expire {
    #[command(flatten)]
    pub(crate) store: Store,
    #[arg(long)]
    pub(crate) idle_for: Option<String>,
    #[arg(long)]
    pub(crate) limit: Option<String>,
    #[command(flatten)]
    pub(crate) keeping: Keeping,
    #[command(flatten)]
    pub(crate) removing: Removing,
}

#[derive(Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    pub(crate) store: Store,
    #[arg(value_name = "THREAD", required = true)]
    pub(crate) threads: Vec<String>,
    #[command(flatten)]
    pub(crate) removing: Removing,
}

#[derive(Args)]
pub(crate) struct DeleteRuns {
    #[command(flatten)]
    pub(crate) store: Store,
    #[arg(value_name = "RUN", required = true)]
    pub(crate) runs: Vec<String>,
    #[command(flatten)]
    pub(crate) removing: Removing,
}

#[derive(Args)]
pub(crate) struct Vacuum {
    #[command(flatten)]
    pub(crate) store: Store,
    #[arg(long)]
    pub(crate) pages: Option<String>,
}

#[derive(Args)]
pub(crate) struct Import {
    #[arg(value_name = "SOURCE")]
    pub(crate) source: String,
    #[arg(value_name = "TARGET")]
    pub(crate) target: String,
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[arg(long)]
    pub(crate) verify: bool,
    #[arg(long)]
    pub(crate) json: bool,
    #[arg(long)]
    pub(crate) yes: bool,
    #[arg(long, default_value = "public")]
    pub(crate) source_schema: String,
    #[arg(long, default_value = "public")]
    pub(crate) schema: String,
    #[arg(long)]
    pub(crate) table: Option<String>,
}

#[derive(Args)]
pub(crate) struct Export {
    #[arg(value_name = "SOURCE")]
    pub(crate) source: String,
    #[arg(value_name = "TARGET")]
    pub(crate) target: String,
    #[arg(long, default_value = "js")]
    pub(crate) layout: String,
    #[arg(long)]
    pub(crate) jsonl: bool,
    #[arg(long)]
    pub(crate) thread: Vec<String>,
    #[arg(long)]
    pub(crate) json: bool,
    #[arg(long)]
    pub(crate) yes: bool,
    #[arg(long, default_value = "public")]
    pub(crate) source_schema: String,
    #[arg(long)]
    pub(crate) table: Option<String>,
    #[arg(long, default_value = "public")]
    pub(crate) schema: String,
}

#[derive(Args)]
pub(crate) struct Sql {
    pub(crate) stores: Vec<String>,
    #[arg(long, default_value = "public")]
    pub(crate) schema: String,
}

impl Command {
    /// The command in these words.
    pub(crate) fn parse(words: &[String]) -> Result<Self> {
        let name = words.first().map_or("", String::as_str);
        let clap = Self::command();
        let Some(command) = clap.find_subcommand(name) else {
            let names: Vec<&str> = clap.get_subcommands().map(clap::Command::get_name).collect();
            let what = if name.starts_with('-') { "option" } else { "command" };
            return Err(Failure::usage(match name {
                "" => "name a command".to_owned(),
                _ => format!("there is no {what} {name}{}", likely(name, &names)),
            }));
        };
        let all = [clap.get_name()].into_iter().chain(words.iter().map(String::as_str));
        Self::try_parse_from(all).map_err(|error| Failure::Usage(explained(command, &error)))
    }
}

/// What is wrong with the arguments of a command, in the words of both programs.
fn explained(command: &clap::Command, error: &clap::Error) -> String {
    let argument = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(argument)) => argument.as_str(),
        _ => "",
    };
    let option = argument.split([' ', '=']).next().filter(|option| option.starts_with('-'));
    match (error.kind(), option) {
        (ErrorKind::UnknownArgument, Some(option)) => {
            let options = command.get_arguments().filter_map(clap::Arg::get_long);
            let options: Vec<String> = options.map(|option| format!("--{option}")).collect();
            let options: Vec<&str> = options.iter().map(String::as_str).collect();
            format!("there is no option {option}{}", likely(option, &options))
        }
        (ErrorKind::InvalidValue, Some(option)) => format!("{option} wants a value"),
        (ErrorKind::TooManyValues, Some(option)) => format!("{option} takes no value"),
        (ErrorKind::ArgumentConflict, Some(option)) => format!("{option} is given twice"),
        _ => {
            let arguments = command.get_positionals().filter(|it| it.is_required_set());
            let names = arguments.flat_map(|it| it.get_value_names().unwrap_or_default());
            let names: Vec<&str> = names.map(AsRef::as_ref).collect();
            format!("name {}", names.join(", "))
        }
    }
}

/// A whole number from 0.
pub(crate) fn count_of(option: &str, text: &str) -> Result<u64> {
    let is_a_count = (1..=15).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_digit());
    let count = text.parse().ok().filter(|_| is_a_count);
    count.ok_or_else(|| Failure::Usage(format!("{option} is not a whole number")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Command::command().debug_assert();
    }

    #[test]
    fn every_command_has_a_usage() {
        for command in Command::command().get_subcommands() {
            assert!(crate::usage::of(command.get_name()).is_some(), "{}", command.get_name());
        }
    }
}

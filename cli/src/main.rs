//! The program `langgraph-checkpoint-wasm`: lists, shows, compares, verifies, copies, moves, prunes
//! and deletes threads. It has the words of the npm package's program, and both have the same
//! goldens (`tests/goldens/cli`).

mod arguments;
mod counts;
mod data;
mod ddl;
mod diff;
mod export;
mod failure;
mod findings;
mod import;
mod kusto;
mod likely;
mod opened;
mod output;
mod removals;
mod sql;
mod terminal;
mod threads;
mod time;
mod usage;

use std::error::Error as _;
use std::process::ExitCode;

use langgraph_checkpoint_host::Error;

use crate::arguments::Command;
use crate::failure::{Ended, Failure, Result};

fn main() -> ExitCode {
    let words = std::env::args_os().skip(1).map(|word| word.into_string().ok());
    let Some(words) = words.collect::<Option<Vec<_>>>() else {
        return fail(Failure::usage("an argument is no text in UTF-8"), "");
    };
    let name = words.first().map_or("", String::as_str);
    let has = |options: [&str; 2]| {
        let mut before = words.iter().take_while(|word| *word != "--");
        before.any(|word| options.contains(&word.as_str()))
    };
    let ended = if name == "help" || has(["-h", "--help"]) {
        let second = words.get(1).map_or("", String::as_str);
        let help = usage::of(name).or_else(|| usage::of(second)).unwrap_or_else(usage::of_all);
        output::write(&help).map(|()| Ended::Done)
    } else if has(["-V", "--version"]) {
        output::write(&format!("{}\n", usage::VERSION)).map(|()| Ended::Done)
    } else {
        Command::parse(&words).and_then(run)
    };
    match ended {
        Ok(ended) => ended.into(),
        Err(failure) => fail(failure, name),
    }
}

/// Says what went wrong.
fn fail(failure: Failure, name: &str) -> ExitCode {
    match failure {
        Failure::Usage(why) => {
            output::say(&format!("{why}\n{}", usage::hint(name)));
            Ended::Usage.into()
        }
        Failure::Store(Error::InvalidInput(fault)) if fault.code.starts_with("invalid-") => {
            fail(Failure::Usage(fault.message), name)
        }
        Failure::Store(error) => {
            output::say(&format!("{}: {error}", error.code()));
            // Only a store's failures have a cause, and those contain no value.
            if let Some(cause) = error.source() {
                output::say(&format!("cause: {cause}"));
            }
            Ended::Failed.into()
        }
        Failure::Outside(what) => {
            output::say(&what);
            Ended::Failed.into()
        }
    }
}

/// Stores have threads of their own: one for the calls is enough.
fn run(command: Command) -> Result<Ended> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::io("this program cannot start", &error))?;
    runtime.block_on(async {
        match command {
            Command::Threads(arguments) => threads::list(arguments).await,
            Command::Namespaces(arguments) => threads::namespaces(arguments).await,
            Command::History(arguments) => threads::history(arguments).await,
            Command::Show(arguments) => threads::show(arguments).await,
            Command::Diff(arguments) => diff::run(arguments).await,
            Command::Du(arguments) => counts::du(arguments).await,
            Command::Verify(arguments) => counts::verify(arguments).await,
            Command::Copy(arguments) => removals::copy(arguments).await,
            Command::Prune(arguments) => removals::prune(arguments).await,
            Command::Expire(arguments) => removals::expire(arguments).await,
            Command::Delete(arguments) => removals::delete(arguments).await,
            Command::DeleteRuns(arguments) => removals::delete_runs(arguments).await,
            Command::Vacuum(arguments) => removals::vacuum(arguments).await,
            Command::Import(arguments) => import::run(arguments).await,
            Command::Export(arguments) => export::run(arguments).await,
            Command::Sql(arguments) => ddl::print(&arguments),
        }
    })
}

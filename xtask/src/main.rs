//! `cargo xtask`: every build step of the repository.

mod bench;
mod check;
mod component;
mod compose;
mod core_modules;
mod demo;
mod documents;
mod fuzz;
mod goldens;
mod harness;
mod kusto;
mod licences;
mod matrix;
mod npm;
mod package;
mod process;
mod step;
mod test;
mod tidy;
mod wasm_target;
mod workspace;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand};

use crate::workspace::Workspace;

/// Builds, tests and shows this repository.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Prepares whatever is missing and shows one database shared by two hosts
    Demo {
        /// Where the thread is stored
        #[arg(long, value_enum, default_value = "sqlite")]
        store: demo::Store,
    },
    /// Prepares whatever is missing and passes every test
    Test {
        /// Run this step alone
        #[arg(long, value_name = "STEP")]
        only: Option<String>,
    },
    /// Formatting, lints, tidy rules, imports, goldens, licences
    Check {
        /// Run this step alone
        #[arg(long, value_name = "STEP")]
        only: Option<String>,
    },
    /// Builds the component and the JavaScript package's generated files
    Component,
    /// Builds the components and plugs the example agents into those they can run with
    Compose,
    /// Serves a local stand-in for a Kusto cluster, which is not Kusto; prints its URL
    LocalKusto {
        /// 0: any free one
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// Keep the databases in this folder
        #[arg(long, value_name = "FOLDER")]
        data: Option<PathBuf>,
    },
    /// Builds and checks what is published; sends nothing
    Package {
        /// Run this step alone
        #[arg(long, value_name = "STEP")]
        only: Option<String>,
    },
    /// Measures, and prints tables
    Bench {
        /// Fewer rounds, and less of what takes the stock saver long: under 90 seconds
        #[arg(long)]
        quick: bool,
        /// Run this workload alone
        #[arg(long, value_name = "WORKLOAD")]
        only: Option<String>,
    },
    /// Runs the package in every runtime on every store, and writes the table in docs/runtimes.md
    Matrix {
        /// Every cell once, no table
        #[arg(long)]
        quick: bool,
        /// Only the cells with this in their runtime, version and store
        #[arg(long, value_name = "CELLS")]
        only: Option<String>,
    },
}

/// The names of the commands.
pub(crate) fn commands() -> Vec<String> {
    Arguments::command().get_subcommands().map(|task| task.get_name().to_owned()).collect()
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The chain of causes; a backtrace says nothing about what is wrong out there.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    let workspace = Workspace::locate()?;
    match task {
        Task::Demo { store } => demo::run(&workspace, store),
        Task::Test { only } => test::run(&workspace, only.as_deref()),
        Task::Check { only } => check::run(&workspace, only.as_deref()),
        Task::Component => component::prepare(&workspace),
        Task::Compose => compose::run(&workspace),
        Task::LocalKusto { port, data } => kusto::serve(&workspace, port, data.as_deref()),
        Task::Package { only } => package::run(&workspace, only.as_deref()),
        Task::Bench { quick, only } => bench::run(&workspace, quick, only.as_deref()),
        Task::Matrix { quick, only } => matrix::run(&workspace, quick, only.as_deref()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Arguments::command().debug_assert();
    }
}

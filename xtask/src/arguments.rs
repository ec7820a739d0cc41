//! The command line.

use std::path::PathBuf;

use clap::{CommandFactory, Parser, Subcommand};

use crate::demo::Store;

/// Builds, tests and shows this repository.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Task,
}

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Task {
    /// Prepares whatever is missing, and shows two hosts that share one database
    Demo {
        /// Where the thread is stored
        #[arg(long, value_enum, default_value = "sqlite")]
        store: Store,
        /// An agent in Python, on a SQLite file
        #[arg(long, conflicts_with = "store")]
        python: bool,
    },
    /// Prepares whatever is missing, and runs every test
    Test {
        /// Run this step alone
        #[arg(long, value_name = "STEP")]
        only: Option<String>,
    },
    /// Checks formatting, lints, tidy rules, imports, goldens, licences
    Check {
        /// Run this step alone
        #[arg(long, value_name = "STEP")]
        only: Option<String>,
    },
    /// Builds the component and the JavaScript package's generated files
    Component,
    /// Builds the components, and composes the example agents with those that they can run on
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
        /// Runs fewer rounds, and less of what takes the stock saver long: under 90 seconds
        #[arg(long)]
        quick: bool,
        /// Run this workload alone
        #[arg(long, value_name = "WORKLOAD")]
        only: Option<String>,
        /// Measures the Python package instead, beside LangGraph's savers for Python
        #[arg(long, conflicts_with = "only")]
        python: bool,
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Arguments::command().debug_assert();
    }
}

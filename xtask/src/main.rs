//! `cargo xtask`: every build step of the repository.

mod arguments;
mod bench;
mod check;
mod component;
mod compose;
mod core_modules;
mod demo;
mod documents;
mod embed;
mod files;
mod fuzz;
mod goldens;
mod harness;
mod kusto;
mod licences;
mod matrix;
mod npm;
mod package;
mod postgres;
mod process;
mod python;
mod served;
mod step;
mod test;
mod tidy;
mod venv;
mod wasm_target;
mod wheel;
mod workspace;
mod world;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::arguments::{Arguments, Task};
use crate::workspace::Workspace;

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Prints the chain of causes. A backtrace would not explain a failure outside this
            // program.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    let workspace = Workspace::locate()?;
    match task {
        Task::Demo { python: true, .. } => demo::run_python(&workspace),
        Task::Demo { store, .. } => demo::run(&workspace, store),
        Task::Test { only } => test::run(&workspace, only.as_deref()),
        Task::Check { only } => check::run(&workspace, only.as_deref()),
        Task::Component => component::prepare(&workspace),
        Task::Compose => {
            component::prepare(&workspace)?;
            compose::print(&workspace)
        }
        Task::LocalKusto { port, data } => kusto::serve(&workspace, port, data.as_deref()),
        Task::Package { only } => package::run(&workspace, only.as_deref()),
        Task::Bench { quick, python: true, .. } => python::bench(&workspace, quick),
        Task::Bench { quick, only, .. } => bench::run(&workspace, quick, only.as_deref()),
        Task::Matrix { quick, only } => matrix::run(&workspace, quick, only.as_deref()),
    }
}

//! A command is a list of named steps. Each is announced and timed; the first failure ends the
//! command.

use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;

/// One named part of a command.
pub(crate) struct Step {
    name: &'static str,
    run: fn(&Workspace) -> Result<()>,
}

impl Step {
    /// A step with the name that `--only` takes.
    pub(crate) const fn new(name: &'static str, run: fn(&Workspace) -> Result<()>) -> Self {
        Self { name, run }
    }
}

/// Runs the steps in order, or only the named one.
pub(crate) fn run_steps(
    workspace: &Workspace,
    command: &str,
    steps: &[Step],
    only: Option<&str>,
) -> Result<()> {
    let chosen: Vec<&Step> =
        steps.iter().filter(|step| only.is_none_or(|name| name == step.name)).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = steps.iter().map(|step| step.name).collect();
        bail!("`{command}` has no such step; it has: {}", names.join(", "));
    }
    let began = Instant::now();
    for step in &chosen {
        println!("== {command}: {}", step.name);
        let began = Instant::now();
        (step.run)(workspace).with_context(|| format!("{command}: step `{}` failed", step.name))?;
        println!("== {command}: {} took {:.1} s", step.name, began.elapsed().as_secs_f64());
    }
    let steps = if chosen.len() == 1 { "step" } else { "steps" };
    let seconds = began.elapsed().as_secs_f64();
    println!("{command}: {} {steps} passed in {seconds:.1} s", chosen.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: &[Step] =
        &[Step::new("passes", |_| Ok(())), Step::new("fails", |_| bail!("the reason"))];

    #[test]
    fn the_first_failure_names_its_step() {
        let workspace = Workspace::locate().unwrap();
        let error = run_steps(&workspace, "try", STEPS, None).unwrap_err();
        assert_eq!(format!("{error:#}"), "try: step `fails` failed: the reason");
    }

    #[test]
    fn only_runs_the_named_step() {
        let workspace = Workspace::locate().unwrap();
        assert!(run_steps(&workspace, "try", STEPS, Some("passes")).is_ok());
        assert!(run_steps(&workspace, "try", STEPS, Some("fails")).is_err());
    }

    #[test]
    fn an_unknown_step_is_refused_with_the_known_ones() {
        let workspace = Workspace::locate().unwrap();
        let error = run_steps(&workspace, "try", STEPS, Some("else")).unwrap_err();
        assert_eq!(error.to_string(), "`try` has no such step; it has: passes, fails");
    }
}

//! Starting other programs, with errors that name the program and what it needs.

use std::io::ErrorKind;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Runs a program to its end. It has no input, and inherits our output.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).status().map_err(|error| not_started(command, error));
    let status = status?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}

/// Runs a program to its end and returns what it printed. It inherits our error output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    command.stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = command.output().map_err(|error| not_started(command, error))?;
    if !output.status.success() {
        bail!("`{}` failed ({})", shown(command), output.status);
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("`{}` printed something that is not UTF-8", shown(command)))
}

/// Whether a program runs and succeeds. Its output is dropped.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The cargo that runs this program, or else the one on the path.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The error of a program that could not be started.
pub(crate) fn not_started(command: &Command, error: std::io::Error) -> anyhow::Error {
    let hint = match (error.kind(), command.get_program().to_str()) {
        (ErrorKind::NotFound, Some("node" | "npm" | "npm.cmd")) => "; install Node.js 20 or newer",
        (ErrorKind::NotFound, _) => "; install it or add it to PATH",
        _ => "",
    };
    anyhow::Error::new(error).context(format!("cannot start `{}`{hint}", shown(command)))
}

/// The command line, for people.
pub(crate) fn shown(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut Command::new("no-such-program-anywhere")).unwrap_err();
        let text = format!("{error:#}");
        assert!(text.contains("no-such-program-anywhere") && text.contains("PATH"), "{text}");
    }

    #[test]
    fn a_failure_names_the_whole_command() {
        let error = run(process_that_fails()).unwrap_err();
        assert!(error.to_string().contains("--no-such-flag"), "{error}");
    }

    fn process_that_fails() -> &'static mut Command {
        let mut command = cargo();
        command.arg("--no-such-flag").stderr(Stdio::null());
        Box::leak(Box::new(command))
    }
}

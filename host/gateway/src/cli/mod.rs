//! The command line.

mod bindings;
mod catalogue;
mod client;
mod demo;
mod dev;
mod directories;
mod guards;
mod health;
mod manage;
mod output;
mod people;
mod plans;
mod plugin;
mod requests;
mod run;
mod serve;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// A provisioning gateway: identity providers push users and groups over SCIM 2.0, sandboxed
/// WebAssembly policies decide roles and seats, your application reads them.
#[derive(Parser)]
#[command(name = "gatewright", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a gateway from a configuration file
    Serve(serve::Serve),
    /// Run a gateway with one organization and one directory, for tests and development
    ///
    /// Prints one line of JSON on standard output as soon as it answers; logs go to standard error.
    /// A second start with the same --data prints the same line.
    Dev(dev::Dev),
    /// See the main job in a minute: Okta pushes, policies decide, and you see why
    Demo(demo::Demo),
    /// Create and list organizations
    Organizations(manage::Organizations),
    /// Create, list and change directories: the connections to identity providers
    Directories(directories::Directories),
    /// Create, list and revoke tokens
    Tokens(manage::Tokens),
    /// Show or replace the mapping of groups to roles and seats
    Mapping(manage::Mapping),
    /// Show or replace the catalogue of roles and seats, or the default one
    Catalogue(catalogue::Catalogue),
    /// Write, test, install and watch plugins
    #[command(visible_alias = "plugins")]
    Plugin(plugin::Plugin),
    /// Show, set and roll back which policies decide in which slot
    Bindings(bindings::Bindings),
    /// See what a change would come to for each account, before anybody is concerned
    ///
    /// Give any of --mapping, --catalogue and --bind. Nothing is in force until the plan is confirmed:
    /// with --confirm at once, else with `gatewright plans confirm ID` after a look.
    Plan(plans::Plan),
    /// List, show, confirm and delete plans
    Plans(plans::Plans),
    /// Show why an account has what it has, why not what it has not, and what changed when
    Explain(guards::Explain),
    /// Show who had a role, a seat or a status at a time
    History(guards::History),
    /// Show and set when the brake on mass removal trips
    Guards(guards::Guards),
    /// Show, approve and reject what is held: removals that nobody may have meant
    Holds(guards::Holds),
    /// Show what was taken within the window, and give it back
    Removals(guards::Removals),
    /// Show accounts with role, seats and the reason for each; import them, give and take by hand
    Accounts(people::Accounts),
    /// Show users that wait for a person to say which account is theirs, and say it
    Links(people::Links),
    /// Name the organization's domains and verify them: only within them users are linked by email
    Domains(people::Domains),
    /// Read the event log
    Events(manage::Events),
    /// Show what went wrong and wants a person
    Alerts(manage::Alerts),
    /// Search a directory's log of requests, and show what came in, what was mended and answered
    Requests(requests::Requests),
    /// Compile a plugin in a process of its own; the gateway calls this itself
    #[command(hide = true)]
    CompilePlugin,
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Serve(command) => command.run(),
        Command::Dev(command) => command.run(),
        Command::Demo(command) => command.run(),
        Command::Organizations(command) => command.run(),
        Command::Directories(command) => command.run(),
        Command::Tokens(command) => command.run(),
        Command::Mapping(command) => command.run(),
        Command::Catalogue(command) => command.run(),
        Command::Plugin(command) => command.run(),
        Command::Bindings(command) => command.run(),
        Command::Plan(command) => command.run(),
        Command::Plans(command) => command.run(),
        Command::Accounts(command) => command.run(),
        Command::Explain(command) => command.run(),
        Command::History(command) => command.run(),
        Command::Guards(command) => command.run(),
        Command::Holds(command) => command.run(),
        Command::Removals(command) => command.run(),
        Command::Links(command) => command.run(),
        Command::Domains(command) => command.run(),
        Command::Events(command) => command.run(),
        Command::Alerts(command) => command.run(),
        Command::Requests(command) => command.run(),
        Command::CompilePlugin => return gatewright_sandbox::compile_child(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error);
            error.exit_code()
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}

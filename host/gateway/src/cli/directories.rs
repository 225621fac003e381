//! `gatewright directories`: the connections to identity providers.

use super::client::Connection;
use super::health;
use super::manage::{created, parse, read, show};
use super::output::{self, CliError};
use super::plans::{self, Confirmation};
use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::PathBuf;

#[derive(Args)]
pub(super) struct Directories {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: DirectoryAction,
}

#[derive(Subcommand)]
enum DirectoryAction {
    /// List them
    List,
    /// Create one; prints its endpoint, and its token, once
    Create {
        /// What people call it
        name: String,
        /// The provider plugin: generic, okta, entra, google, onelogin, jumpcloud, ping, cyberark, or
        /// one that you installed
        #[arg(long, default_value = "generic")]
        provider: String,
        /// The provider plugin's settings, a JSON object
        #[arg(long, default_value = "{}")]
        settings: String,
        /// draft: nothing is decided before it is confirmed; enforcing: it is in force at once, which
        /// is refused where there are accounts already
        #[arg(long, default_value = "draft")]
        phase: String,
    },
    /// Put it into force: its users are linked to accounts or get new ones, and decisions begin.
    /// Makes a plan, prints what becomes of whom, and asks before it does it
    Confirm {
        /// Its id
        id: String,
        #[command(flatten)]
        confirmation: Confirmation,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        /// Print all accounts that change, not the first 50
        #[arg(long)]
        all: bool,
    },
    /// Freeze the decisions about its people; what the provider says is still stored, and whom it
    /// deactivates loses access
    Pause {
        /// Its id
        id: String,
    },
    /// Show what calls of its provider plugin come to and cost, since the gateway began
    Health {
        /// Its id
        id: String,
    },
    /// End a pause: everybody is decided anew
    Resume {
        /// Its id
        id: String,
    },
    /// End it for good: its tokens are revoked, every account keeps exactly what it has
    #[command(group = ArgGroup::new("facts").required(true))]
    Uninstall {
        /// Its id
        id: String,
        /// Keep its users and groups for so many days
        #[arg(long, value_name = "DAYS", group = "facts")]
        keep_days: Option<u32>,
        /// Erase its users and groups now
        #[arg(long, group = "facts")]
        erase: bool,
    },
    /// Change its name, its provider plugin or its settings
    Update {
        /// Its id
        id: String,
        /// A new name
        #[arg(long)]
        name: Option<String>,
        /// Another provider plugin
        #[arg(long)]
        provider: Option<String>,
        /// Whether the log of requests masks personal values
        #[arg(long, value_name = "BOOL")]
        mask_personal_values: Option<bool>,
        /// What `filter=userName eq "..."` means and what no two users have alike: userName,
        /// externalId or emails.value. Say what "unique identifier" is set to in Okta
        #[arg(long, value_name = "ATTRIBUTE")]
        unique_identifier: Option<String>,
        /// For how many days a deleted user can be restored: 0 to 3650
        #[arg(long, value_name = "DAYS")]
        keep_deleted_days: Option<u32>,
        /// What becomes of attributes that no schema has: ignore, keep (answered, and nothing else) or
        /// refuse
        #[arg(long, value_name = "WHAT")]
        unknown_attributes: Option<String>,
        /// What becomes of members that do not exist: refuse or skip
        #[arg(long, value_name = "WHAT")]
        unknown_member: Option<String>,
        /// Whether only what the RFCs allow is read: for providers that follow them to the letter
        #[arg(long, value_name = "BOOL")]
        strict: Option<bool>,
        /// What links its users to accounts: email, userName (both are the account's email) or
        /// externalId (which is the application's own id)
        #[arg(long, value_name = "ATTRIBUTE")]
        link_by: Option<String>,
        /// Whether it shows accounts that no user claims as users, so that the provider's import finds
        /// them
        #[arg(long, value_name = "BOOL")]
        expose_unlinked: Option<bool>,
    },
    /// The schemas that it declares beside those of the RFC
    Schemas {
        #[command(subcommand)]
        action: SchemasAction,
    },
    /// List users whom the provider deleted and who can still be restored
    Deleted {
        /// The directory's id
        id: String,
    },
    /// Restore a user whom the provider deleted; memberships and seats do not come back by it
    Restore {
        /// The directory's id
        id: String,
        /// The user's id
        user: String,
    },
}

#[derive(Subcommand)]
enum SchemasAction {
    /// Print them as JSON
    Get {
        /// The directory's id
        id: String,
    },
    /// Declare these and no others. Values of what is declared no longer stay, unseen, until their
    /// resource is replaced
    Set {
        /// The directory's id
        id: String,
        /// A JSON file, as `get` prints it: {"schemas": [...]}, each as RFC 7643 section 7 has it, with
        /// "resourceType" (User or Group) and, for attributes, "indexed"
        file: PathBuf,
    },
}

impl Directories {
    pub(super) fn run(self) -> Result<(), CliError> {
        let to = &self.connection;
        match self.action {
            DirectoryAction::List => {
                let answer = to.get(&to.path("/directories"))?;
                let columns = ["id", "name", "phase", "/provider/name", "scim_base_url"];
                show(to, &answer, "directories", &columns);
            }
            DirectoryAction::Create {
                name,
                provider,
                settings,
                phase,
            } => {
                let settings = parse("--settings", &settings)?;
                let body = json!({
                    "name": name, "provider": provider, "settings": settings, "phase": phase,
                });
                let answer = to.post(&to.path("/directories"), &body)?;
                created(
                    to,
                    &answer,
                    &["id", "name", "phase", "scim_base_url", "token"],
                );
            }
            DirectoryAction::Confirm {
                id,
                confirmation,
                yes,
                all,
            } => confirm(to, &id, &confirmation, yes, all)?,
            DirectoryAction::Health { id } => {
                let answer = to.get(&to.path(&format!("/directories/{id}/health")))?;
                health::of_directory(to, &answer);
            }
            DirectoryAction::Pause { id } => enter(to, &id, "pause", &json!({}))?,
            DirectoryAction::Resume { id } => enter(to, &id, "resume", &json!({}))?,
            DirectoryAction::Uninstall {
                id,
                keep_days,
                erase: _,
            } => {
                let body = match keep_days {
                    Some(days) => json!({ "facts": "keep", "days": days }),
                    None => json!({ "facts": "erase" }),
                };
                enter(to, &id, "uninstall", &body)?;
            }
            DirectoryAction::Update {
                id,
                name,
                provider,
                mask_personal_values,
                unique_identifier,
                keep_deleted_days,
                unknown_attributes,
                unknown_member,
                strict,
                link_by,
                expose_unlinked,
            } => {
                let mut body = json!({});
                for (field, value) in [
                    ("name", name.map(Value::from)),
                    ("provider", provider.map(Value::from)),
                    (
                        "mask_personal_values",
                        mask_personal_values.map(Value::from),
                    ),
                    ("unique_identifier", unique_identifier.map(Value::from)),
                    ("keep_deleted_days", keep_deleted_days.map(Value::from)),
                    ("unknown_attributes", unknown_attributes.map(Value::from)),
                    ("unknown_member", unknown_member.map(Value::from)),
                    ("strict", strict.map(Value::from)),
                    ("link_by", link_by.map(Value::from)),
                    ("expose_unlinked", expose_unlinked.map(Value::from)),
                ] {
                    if let Some(value) = value {
                        body[field] = value;
                    }
                }
                let answer = to.patch(&to.path(&format!("/directories/{id}")), &body)?;
                created(to, &answer, &["id", "name", "/provider/name"]);
            }
            DirectoryAction::Schemas { action } => {
                let path = |id: &str| to.path(&format!("/directories/{id}/schemas"));
                let answer = match action {
                    SchemasAction::Get { id } => to.get(&path(&id))?,
                    SchemasAction::Set { id, file } => {
                        to.put(&path(&id), &read::<Value>(&file)?)?
                    }
                };
                output::json(&answer);
            }
            DirectoryAction::Deleted { id } => {
                let answer = to.get(&to.path(&format!("/directories/{id}/deleted-users")))?;
                let columns = ["id", "user_name", "external_id", "deleted", "kept_until"];
                show(to, &answer, "users", &columns);
            }
            DirectoryAction::Restore { id, user } => {
                let path = format!("/directories/{id}/deleted-users/{user}/restore");
                let answer = to.post(&to.path(&path), &json!({}))?;
                created(to, &answer, &["id", "user_name", "account"]);
            }
        }
        Ok(())
    }
}

/// Shows what the confirmation comes to, and confirms exactly that.
fn confirm(
    to: &Connection,
    id: &str,
    confirmation: &Confirmation,
    yes: bool,
    all: bool,
) -> Result<(), CliError> {
    let proposed = plans::propose(to, &json!({ "confirm": id }), all)?;
    let show = || {
        if !to.json {
            plans::print(&proposed.plan, &proposed.accounts);
            output::line("");
        }
    };
    if !yes {
        show();
    }
    let plan = &proposed.id;
    if !yes && !agreed()? {
        output::line(&format!(
            "Nothing has changed. To do what the plan shows: gatewright plans confirm {plan}"
        ));
        return Ok(());
    }
    let mut body = confirmation.body();
    body["plan"] = plan.as_str().into();
    let path = to.path(&format!("/directories/{id}/confirm"));
    let mut answer = to
        .post(&path, &body)
        .map_err(|error| plans::see(error, plan))?;
    // A command that fails prints nothing else.
    if yes {
        show();
    }
    if to.json {
        answer["links"] = proposed.plan["links"].clone();
        answer["accounts"] = proposed.accounts.into();
    }
    created(to, &answer, &["id", "name", "phase"]);
    Ok(())
}

/// Asks a person whether to go on.
fn agreed() -> Result<bool, CliError> {
    let mut to = std::io::stderr().lock();
    let asked = write!(to, "Put it into force as shown? Write yes: ");
    let asked = asked.and_then(|()| to.flush());
    let mut said = String::new();
    let read = asked.and_then(|()| std::io::stdin().read_line(&mut said));
    match read {
        Ok(1..) => Ok(said.trim() == "yes"),
        Ok(0) | Err(_) => {
            let why =
                "nobody answered, so nothing has changed: say --yes where nobody can be asked";
            Err(CliError::Refused(why.to_owned()))
        }
    }
}

fn enter(to: &Connection, id: &str, how: &str, body: &Value) -> Result<(), CliError> {
    let answer = to.post(&to.path(&format!("/directories/{id}/{how}")), body)?;
    created(to, &answer, &["id", "name", "phase"]);
    Ok(())
}

//! `gatewright accounts`, `links` and `domains`: who is who, and who has what.

use super::client::Connection;
use super::manage::{account, cell, created, read, show};
use super::output::{self, CliError};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Accounts that one request takes.
const PART: usize = 1_000;

#[derive(Args)]
pub(super) struct Accounts {
    #[command(flatten)]
    connection: Connection,
    /// Only the account of this email
    #[arg(long)]
    email: Option<String>,
    /// Only those that no user claims
    #[arg(long, conflicts_with = "email")]
    unlinked: bool,
    #[command(subcommand)]
    action: Option<AccountAction>,
}

#[derive(Subcommand)]
enum AccountAction {
    /// Bring the application's accounts, any number of them and again and again
    ///
    /// The file is {"accounts": [{"external_id": "42", "email": "ada@acme.com", "label": "Ada",
    /// "status": "active", "role": "Admin", "custom_roles": [], "seats": ["viewer"]}]}. Only the first
    /// two must be there; what is left out stays as it is.
    Import {
        /// The JSON file
        file: PathBuf,
    },
    /// Give a role to an account that no directory manages
    GiveRole {
        /// The account's id
        account: String,
        /// The role's name
        role: String,
    },
    /// Take a role from an account that no directory manages
    TakeRole {
        /// The account's id
        account: String,
        /// The role's name
        role: String,
    },
    /// Give a seat
    GiveSeat {
        /// The account's id
        account: String,
        /// The seat's name
        seat: String,
    },
    /// Take a seat that no group gives
    TakeSeat {
        /// The account's id
        account: String,
        /// The seat's name
        seat: String,
    },
    /// Say what another source, such as a chat workspace, says of somebody
    Signal {
        /// The account's id
        account: String,
        /// The source's name
        source: String,
        /// Whether the person is active there
        #[arg(long, value_name = "BOOL", action = clap::ArgAction::Set)]
        active: bool,
        /// When the source found that, such as 2026-01-31T12:00:00Z; now where it is not said
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
    },
}

impl Accounts {
    pub(super) fn run(self) -> Result<(), CliError> {
        let to = &self.connection;
        match &self.action {
            None => self.list(),
            Some(AccountAction::Import { file }) => import(to, file),
            Some(AccountAction::GiveRole { account, role }) => {
                changed(to, &to.put(&grant(to, account, "roles", role), &json!({}))?)
            }
            Some(AccountAction::TakeRole { account, role }) => {
                changed(to, &to.delete(&grant(to, account, "roles", role))?)
            }
            Some(AccountAction::GiveSeat { account, seat }) => {
                changed(to, &to.put(&grant(to, account, "seats", seat), &json!({}))?)
            }
            Some(AccountAction::TakeSeat { account, seat }) => {
                changed(to, &to.delete(&grant(to, account, "seats", seat))?)
            }
            Some(AccountAction::Signal {
                account,
                source,
                active,
                at,
            }) => {
                let body = json!({ "active": active, "at": at });
                let answer = to.put(&grant(to, account, "signals", source), &body)?;
                created(to, &answer, &["account", "source", "active", "at"]);
                Ok(())
            }
        }
    }

    fn list(&self) -> Result<(), CliError> {
        let to = &self.connection;
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(email) = &self.email {
            query.append_pair("email", email);
        }
        if self.unlinked {
            query.append_pair("linked", "false");
        }
        let accounts = pages(to, "accounts", &query.finish())?;
        if to.json {
            output::json(&json!({ "accounts": accounts }));
            return Ok(());
        }
        output::table(
            &["person", "status", "role", "seats", "why"],
            &accounts.iter().map(account).collect::<Vec<_>>(),
        );
        Ok(())
    }
}

/// All items of a listing, page by page.
fn pages(to: &Connection, list: &str, query: &str) -> Result<Vec<Value>, CliError> {
    let mut items = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/{list}?limit=1000&{query}{after}");
        let answer = to.get(&to.path(&path))?;
        items.extend(answer[list].as_array().cloned().unwrap_or_default());
        match answer["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return Ok(items),
        }
    }
}

fn grant(to: &Connection, account: &str, what: &str, name: &str) -> String {
    let encoded = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    to.path(&format!("/accounts/{account}/{what}/{encoded}"))
}

fn changed(to: &Connection, answer: &Value) -> Result<(), CliError> {
    if to.json {
        output::json(answer);
    } else {
        output::table(
            &["person", "status", "role", "seats", "why"],
            &[account(answer)],
        );
    }
    Ok(())
}

fn import(to: &Connection, file: &Path) -> Result<(), CliError> {
    let body: Value = read(file)?;
    let Some(accounts) = body["accounts"].as_array() else {
        let problem = format!("{}: must be {{\"accounts\": [...]}}", file.display());
        return Err(CliError::Usage(problem));
    };
    let mut results = Vec::new();
    for part in accounts.chunks(PART) {
        let answer = to.put(&to.path("/accounts/import"), &json!({ "accounts": part }))?;
        results.extend(answer["results"].as_array().cloned().unwrap_or_default());
    }
    let is = |name: &str| {
        let same = |one: &&Value| one["result"] == name;
        results.iter().filter(same).count()
    };
    let refused = is("refused");
    if to.json {
        output::json(&json!({ "results": results, "refused": refused }));
    }
    let counts = ["created", "adopted", "changed", "unchanged", "refused"];
    let mut said = vec![
        counts
            .map(|name| format!("{name}: {}", is(name)))
            .join("  "),
    ];
    for one in results.iter().filter(|one| one["result"] == "refused") {
        let [id, field, problem] = ["external_id", "field", "problem"].map(|name| cell(one, name));
        said.push(format!("{id}: {field}: {problem}"));
    }
    let said = said.join("\n");
    match refused {
        0 if to.json => Ok(()),
        0 => {
            output::line(&said);
            Ok(())
        }
        number => Err(CliError::Refused(format!(
            "{number} accounts were not taken, the others were. {said}"
        ))),
    }
}

#[derive(Args)]
pub(super) struct Links {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: LinkAction,
}

#[derive(Subcommand)]
enum LinkAction {
    /// List the users that wait, why, and which accounts match
    List,
    /// Say which account is a user's
    Resolve {
        /// The user's id
        user: String,
        /// The account's id, or new
        account: String,
    },
}

impl Links {
    pub(super) fn run(self) -> Result<(), CliError> {
        let to = &self.connection;
        match self.action {
            LinkAction::List => {
                let mut links = pages(to, "links", "")?;
                if !to.json {
                    for link in &mut links {
                        let ids = link["candidates"].as_array().into_iter().flatten();
                        let ids: Vec<_> = ids.map(|one| cell(one, "id")).collect();
                        link["candidates"] = ids.join(", ").into();
                    }
                }
                let columns = ["user", "user_name", "email", "message", "candidates"];
                show(to, &json!({ "links": links }), "links", &columns);
            }
            LinkAction::Resolve { user, account } => {
                let body = json!({ "user": user, "account": account });
                let answer = to.post(&to.path("/links"), &body)?;
                created(to, &answer, &["user", "account"]);
            }
        }
        Ok(())
    }
}

#[derive(Args)]
pub(super) struct Domains {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: DomainAction,
}

#[derive(Subcommand)]
enum DomainAction {
    /// List them
    List,
    /// Name one; prints the TXT record that shows it is the organization's
    Add {
        /// Such as acme.com; a subdomain is another domain
        domain: String,
    },
    /// Look for its TXT record
    Verify {
        /// The domain
        domain: String,
        /// Take the operator's word for it instead
        #[arg(long)]
        by_operator: bool,
    },
    /// Take it from the list; links that were made stay
    Remove {
        /// The domain
        domain: String,
    },
}

impl Domains {
    pub(super) fn run(self) -> Result<(), CliError> {
        let to = &self.connection;
        let path = |domain: &str, more: &str| to.path(&format!("/domains/{domain}{more}"));
        const RECORD: [&str; 4] = ["domain", "verified", "/record/name", "/record/value"];
        match self.action {
            DomainAction::List => {
                let answer = to.get(&to.path("/domains"))?;
                show(to, &answer, "domains", &RECORD);
            }
            DomainAction::Add { domain } => {
                created(to, &to.put(&path(&domain, ""), &json!({}))?, &RECORD);
            }
            DomainAction::Verify {
                domain,
                by_operator,
            } => {
                let by = if by_operator { "operator" } else { "dns" };
                let answer = to.post(&path(&domain, "/verify"), &json!({ "by": by }))?;
                created(to, &answer, &["domain", "verified", "verified_by"]);
            }
            DomainAction::Remove { domain } => {
                created(to, &to.delete(&path(&domain, ""))?, &["domain"]);
            }
        }
        Ok(())
    }
}

//! A plan as people read it.

use crate::cli::manage::cell;
use crate::cli::output;
use serde_json::Value;

pub(in crate::cli) fn print(plan: &Value, accounts: &[Value]) {
    let counts = &plan["counts"];
    output::line(&format!(
        "plan {}: {}",
        cell(plan, "id"),
        cell(plan, "state")
    ));
    if let Some(why) = plan["why"].as_str() {
        output::line(&format!("  {why}"));
    }
    let changed = counts["accounts"].as_u64().unwrap_or(0);
    let considered = cell(&plan["progress"], "considered");
    output::line(&format!("{changed} of {considered} accounts change"));
    links(plan);
    if !accounts.is_empty() {
        output::line("");
        let rows: Vec<Vec<String>> = accounts.iter().map(row).collect();
        output::table(&["who", "how", "before", "after", "why"], &rows);
        let concerned = changed + counts["failed"].as_u64().unwrap_or(0);
        let left = concerned.saturating_sub(accounts.len() as u64);
        if left > 0 {
            output::line(&format!("and {left} more"));
        }
    }
    output::line("");
    let named: Vec<String> = counts
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, count)| *name != "accounts" && count.as_u64() > Some(0))
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    if !named.is_empty() {
        output::line(&format!("counts: {}", named.join(", ")));
    }
    let most: Vec<String> = plan["most_losses"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| format!("{} ({})", cell(one, "label"), cell(one, "losses")))
        .collect();
    if !most.is_empty() {
        output::line(&format!("lose the most: {}", most.join(", ")));
    }
    seats(plan);
    owners(plan);
}

/// Seats that the plan moves, and those of which there are not enough.
fn seats(plan: &Value) {
    let number = |seat: &Value, name: &str| seat[name].as_u64().unwrap_or(0);
    for seat in plan["seats"].as_array().into_iter().flatten() {
        let beyond = number(seat, "beyond");
        if beyond + number(seat, "gained") + number(seat, "lost") == 0 {
            continue;
        }
        let mut line = format!(
            "seats {}: {} taken, {} afterwards",
            cell(seat, "name"),
            number(seat, "taken"),
            number(seat, "wanted")
        );
        if let Some(capacity) = seat["capacity"].as_u64() {
            line += &format!(", of {capacity}");
        }
        if beyond > 0 {
            let what = match seat["when_full"].as_str() {
                Some("overflow") => "GIVEN BEYOND THEM",
                Some("refuse") => "REFUSED",
                _ => "WAIT",
            };
            line += &format!(": {beyond} {what}");
        }
        output::line(&line);
    }
}

/// What becomes of the users of a directory that comes into force.
fn links(plan: &Value) {
    let links = &plan["links"];
    if links.is_null() {
        return;
    }
    output::line(&format!(
        "users: {} are linked to accounts, {} get new ones, {} wait for a person; accounts that \
         nobody claims: {}",
        cell(links, "linked"),
        cell(links, "new"),
        cell(links, "waiting"),
        cell(links, "unlinked"),
    ));
    if links["waiting"].as_u64() > Some(0) || links["unlinked"].as_u64() > Some(0) {
        let id = cell(plan, "id");
        output::line(&format!(
            "who they are: gatewright plans links {id} --kind waiting, or unlinked"
        ));
    }
}

fn owners(plan: &Value) {
    let owners = &plan["owners"];
    let role = cell(owners, "role");
    if owners["remains"] == true {
        let some: Vec<String> = owners["accounts"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|owner| cell(owner, "label"))
            .collect();
        output::line(&format!(
            "active with the role {role} afterwards: {} ({})",
            cell(owners, "count"),
            some.join(", ")
        ));
    } else if plan["state"] != "computing" {
        output::line(&format!("NOBODY active has the role {role} afterwards"));
    }
}

fn row(account: &Value) -> Vec<String> {
    let (before, after) = (&account["before"], &account["after"]);
    let kinds: Vec<&str> = account["kinds"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    vec![
        cell(account, "label"),
        kinds.join(" "),
        match account["link"] == "new" {
            true => "no account".to_owned(),
            false => holding(before),
        },
        holding(after),
        account["failure"]
            .as_str()
            .map_or_else(|| why(before, after), str::to_owned),
    ]
}

/// Status where it is not active, then role, custom roles and seats.
fn holding(side: &Value) -> String {
    let mut parts = Vec::new();
    if side["status"] != "active" {
        parts.push(cell(side, "status"));
    }
    parts.extend(grants(side).map(|grant| cell(grant, "name")));
    if parts.is_empty() {
        parts.push("nothing".to_owned());
    }
    parts.join(", ")
}

/// The reasons of what is new, or of what is left where nothing is.
fn why(before: &Value, after: &Value) -> String {
    if before["status"] != after["status"] {
        return cell(after, "status_reason");
    }
    let had: Vec<String> = grants(before).map(|grant| cell(grant, "name")).collect();
    let new = |grant: &&Value| !had.contains(&cell(grant, "name"));
    let mut reasons: Vec<String> = grants(after)
        .filter(new)
        .map(|grant| format!("{}: {}", cell(grant, "name"), cell(grant, "reason")))
        .collect();
    if reasons.is_empty() {
        let left: Vec<String> = grants(after).map(|grant| cell(grant, "name")).collect();
        let gone = grants(before).filter(|grant| !left.contains(&cell(grant, "name")));
        reasons.extend(gone.map(|grant| {
            format!(
                "no longer {}: was {}",
                cell(grant, "name"),
                cell(grant, "reason")
            )
        }));
    }
    reasons.join("; ")
}

fn grants(side: &Value) -> impl Iterator<Item = &Value> {
    let role = Some(&side["role"]).filter(|role| !role.is_null());
    let lists = ["custom_roles", "seats"].map(|list| side[list].as_array());
    role.into_iter()
        .chain(lists.into_iter().flatten().flatten())
}

pub(super) fn confirmed(plan: &Value) {
    output::line("");
    if plan["state"] == "confirmed" {
        output::line(&format!(
            "confirmed at revision {}",
            cell(&plan["confirmed"], "revision")
        ));
    } else {
        output::line(&format!(
            "still being applied: see gatewright plans show {}",
            cell(plan, "id")
        ));
    }
}

//! `/accounts/import`: accounts that the application brings.

use super::access::Reads;
use super::answer::{Answer, Json};
use super::error::ApiError;
use crate::access::import::{self, Imported, NewAccount, Outcome, Problem};
use crate::http::Shared;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    accounts: Vec<NewAccount>,
}

/// Takes up to 1,000 accounts, and says of each what became of it, in their order.
pub(super) async fn import(
    State(shared): State<Shared>,
    Reads(organization): Reads,
    Json(new): Json<New>,
) -> Result<Answer, ApiError> {
    let (body, revision) = shared
        .gateway
        .run(move |gateway| {
            let ids: Vec<_> = (new.accounts.iter())
                .map(|account| account.external_id.clone())
                .collect();
            let (now, random) = (gateway.clock.now(), &gateway.random);
            let done = import::import(&organization, now, random, new.accounts)?;
            gateway.reconciler.wake(organization.id());
            let results = ids.iter().zip(&done.value);
            let refused = done.value.iter().filter(|one| one.is_err()).count();
            let results: Vec<Value> = results.map(|(id, result)| show(id, result)).collect();
            let body = json!({
                "results": results, "refused": refused, "revision": done.revision,
            });
            Ok::<_, ApiError>((body, done.revision))
        })
        .await??;
    Ok(Answer::ok(body).at_revision(revision))
}

fn show(external_id: &str, result: &Result<Imported, Problem>) -> Value {
    match result {
        Ok(imported) => json!({
            "external_id": external_id,
            "account": imported.account,
            "result": match imported.result {
                Outcome::Created => "created",
                Outcome::Adopted => "adopted",
                Outcome::Changed => "changed",
                Outcome::Unchanged => "unchanged",
            },
            "managed_by": imported.managed_by,
        }),
        Err(problem) => json!({
            "external_id": external_id,
            "result": "refused",
            "field": problem.field,
            "problem": problem.problem,
        }),
    }
}

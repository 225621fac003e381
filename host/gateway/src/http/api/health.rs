//! How plugins do: what their calls come to and cost, and whether they are asked at all.

use super::access::Administers;
use super::answer::Answer;
use super::bindings::{Named, slot};
use super::directories;
use super::error::ApiError;
use crate::access::reconcile::{State as Breaker, Tripped};
use crate::gateway::Gateway;
use crate::http::Shared;
use crate::model::plugins::{Bindings, PluginRef, Shadows, Slot};
use crate::model::tenancy::Directories;
use crate::plugins::PluginError;
use crate::plugins::watch::{Bound, Health};
use axum::extract::{Path, State};
use gatewright_store::{OrganizationId, Read};
use serde_json::{Value, json};

/// Of the policies of a slot, and of those that run in shadow.
pub(super) async fn of_slot(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Named,
) -> Result<Answer, ApiError> {
    let slot = slot(&path)?;
    let body = shared
        .gateway
        .run(move |gateway| {
            let reader = organization.read()?;
            let name = slot.name().to_owned();
            let found = reader.get::<Bindings>(&name)?;
            let binding = found.ok_or(PluginError::Unbound { slot: slot.name() })?;
            let chain: Vec<_> = binding.chain.members().map(|one| &one.plugin).collect();
            let id = organization.id();
            // What was counted of another version is of the past.
            let counted = gateway.plugins.watch.of(id, Bound::Slot(slot));
            let counted = counted.into_iter();
            let counted = counted.filter(|one| one.who.binding == binding.version);
            let mut body = json!({
                "slot": slot,
                "version": binding.version,
                "paused": binding.paused,
                "breaker": breaker(gateway, id, slot),
                "plugins": plugins(gateway, &chain, &counted.collect::<Vec<_>>()),
                "shadow": null,
            });
            let shadow = reader.get::<Shadows>(&name)?;
            if let Some(shadow) = shadow.filter(|shadow| shadow.stopped.is_none()) {
                let chain: Vec<_> = shadow.chain.members().map(|one| &one.plugin).collect();
                let counted = gateway
                    .plugins
                    .watch
                    .of(id, Bound::Shadow(slot))
                    .into_iter();
                let counted = counted.filter(|one| one.who.binding == shadow.revision);
                body["shadow"] = json!({
                    "tried": shadow.tried,
                    "different": shadow.different,
                    "failed": shadow.failed,
                    "plugins": plugins(gateway, &chain, &counted.collect::<Vec<_>>()),
                });
            }
            Ok::<_, ApiError>(body)
        })
        .await??;
    Ok(Answer::ok(body))
}

/// Of the provider plugin of a directory.
pub(super) async fn of_directory(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Named,
) -> Result<Answer, ApiError> {
    let id = directories::id(&path)?;
    let body = shared
        .gateway
        .run(move |gateway| {
            let found = organization.read()?.get::<Directories>(&id)?;
            let directory = found.ok_or_else(|| ApiError::NotFound {
                what: "directory",
                id: id.to_string(),
            })?;
            let bound = Bound::Provider(id);
            let counted = gateway.plugins.watch.of(organization.id(), bound);
            let plugins = plugins(gateway, &[&directory.provider], &counted);
            Ok::<_, ApiError>(json!({ "directory": id, "plugins": plugins }))
        })
        .await??;
    Ok(Answer::ok(body))
}

/// Each plugin of a chain with what was counted of it.
fn plugins(gateway: &Gateway, chain: &[&PluginRef], counted: &[Health]) -> Vec<Value> {
    let shown = (0..).zip(chain).map(|(place, plugin)| {
        let mut shown = json!({
            "plugin": gateway.plugins.name(plugin),
            "digest": plugin.digest,
            "calls": 0,
        });
        let health = counted.iter().find(|health| health.who.place == place);
        if let (Value::Object(shown), Some(Value::Object(health))) =
            (&mut shown, health.map(counts))
        {
            shown.extend(health);
        }
        shown
    });
    shown.collect()
}

fn counts(health: &Health) -> Value {
    let failed: u64 = health.failed.values().sum();
    json!({
        "plugin": health.who.plugin,
        "plugin_version": health.who.version,
        "since": health.since.to_string(),
        "calls": health.calls,
        "items": health.items,
        "answered": health.calls - failed,
        "rejected": health.rejected,
        "failed": health.failed,
        "micros": {
            "p50": health.micros_at(0.5),
            "p90": health.micros_at(0.9),
            "p99": health.micros_at(0.99),
            "max": health.micros_at(1.0),
        },
        "memory_peak": health.memory_peak,
        "output_peak": health.output_peak,
    })
}

/// Whether a slot's policies are asked. Where those of another slot fail, nobody's are: a decision
/// takes all three.
fn breaker(gateway: &Gateway, organization: OrganizationId, slot: Slot) -> Value {
    let (state, tripped) = match gateway.reconciler.breaker(organization) {
        Breaker::Closed => return json!({ "state": "closed" }),
        Breaker::Open(tripped) => ("open", tripped),
        Breaker::HalfOpen(tripped) => ("half-open", tripped),
    };
    let Tripped {
        slot: failing,
        since,
        until,
        times,
    } = tripped;
    let mut shown = json!({
        "state": state,
        "since": since.to_string(),
        "next_try": until.to_string(),
        "tried_in_vain": times,
    });
    if failing != Some(slot) {
        shown["state"] = json!("waiting");
        shown["because_of"] = json!(failing);
    }
    shown
}

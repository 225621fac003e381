//! Reads one operation of a Bulk request.

use super::references::{REFERENCE, collect};
use super::{BulkMethod, BulkTarget, BulkTask};
use crate::{Error, ResourceType};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The members of an object, by their names in any case.
pub(super) struct Members(pub(super) Map<String, Value>);

impl Members {
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        let key = self.0.keys().find(|key| key.eq_ignore_ascii_case(name))?;
        let key = key.clone();
        self.0.shift_remove(&key).filter(|value| !value.is_null())
    }

    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        match self.take(name) {
            Some(Value::String(text)) => Some(text),
            Some(_) | None => None,
        }
    }
}

pub(super) fn task(
    mut members: Members,
    method: &str,
    bulk_id: Option<&str>,
    base_url: &str,
) -> Result<BulkTask, Error> {
    let path = members
        .text("path")
        .ok_or_else(|| Error::invalid_syntax("`path` is missing: it is like `/Users/ID`"))?;
    let (resource, target) = place(&path, base_url)?;
    let data = members.take("data");
    let method = BulkMethod::parse(method)?;
    if (method == BulkMethod::Post) != target.is_none() {
        return Err(Error::invalid_syntax(format!(
            "{} is not possible on `{path}`",
            method.as_str()
        )));
    }
    if method == BulkMethod::Post && bulk_id.is_none() {
        return Err(Error::invalid_syntax("a POST needs a `bulkId`"));
    }
    let data = data.filter(|_| method != BulkMethod::Delete);
    if method != BulkMethod::Delete && data.is_none() {
        return Err(Error::invalid_syntax(format!(
            "a {} needs `data`",
            method.as_str()
        )));
    }
    let mut references = BTreeSet::new();
    if let Some(data) = &data {
        collect(data, false, &mut references);
    }
    Ok(BulkTask {
        method,
        resource,
        target,
        version: members.text("version"),
        data,
        references,
    })
}

fn place(path: &str, base_url: &str) -> Result<(ResourceType, Option<BulkTarget>), Error> {
    let wrong = || {
        Error::invalid_syntax(format!(
            "`path` must be like `/Users` or `/Groups/ID`, but is `{path}`"
        ))
    };
    let below = path.strip_prefix(base_url).unwrap_or(path);
    let mut segments = below.trim_matches('/').split('/');
    let first = segments.next().unwrap_or_default();
    let resource = ResourceType::ALL
        .into_iter()
        .find(|resource| resource.endpoint().trim_start_matches('/') == first)
        .ok_or_else(wrong)?;
    let id = segments.next().filter(|id| !id.is_empty());
    if segments.next().is_some() || id.is_some_and(|id| id.contains(['?', '#'])) {
        return Err(wrong());
    }
    let target = id.map(|id| match id.strip_prefix(REFERENCE) {
        Some(created) => BulkTarget::Created(created.to_owned()),
        None => BulkTarget::Id(id.to_owned()),
    });
    Ok((resource, target))
}

//! Who had what, from when to when. It is never pruned: "who was Owner on 3 March" has an answer as
//! long as the organization is there.

use crate::clock::Timestamp;
use crate::ledger::Change;
use crate::model::access::{AccountStatus, GrantOrigin, GrantRecord};
use crate::model::guard::{SPANS_BY_NAME, SpanKey, SpanKind, SpanRecord, Spans};
use gatewright_store::{OrganizationScope, Range, Read, StoreError};
use uuid::Uuid;

/// An account has a grant from now on.
///
/// # Errors
/// What the store says.
pub fn began(
    change: &mut Change<'_, '_>,
    account: Uuid,
    grant: &GrantRecord,
) -> Result<(), StoreError> {
    change.tx.put::<Spans>(&key(account, grant), &span(grant))
}

/// An account has a grant no more.
///
/// # Errors
/// What the store says.
pub fn ended(
    change: &mut Change<'_, '_>,
    account: Uuid,
    grant: &GrantRecord,
    why: &str,
) -> Result<(), StoreError> {
    let key = key(account, grant);
    // A grant from before there was a history has its span from now on.
    let known = change.tx.get::<Spans>(&key)?;
    let span = known.unwrap_or_else(|| span(grant));
    put_end(change, &key, span, why)
}

/// An account has another status from now on. `since` is when it got the one before.
///
/// # Errors
/// What the store says.
pub fn status(
    change: &mut Change<'_, '_>,
    account: Uuid,
    before: Option<AccountStatus>,
    after: AccountStatus,
    reason: &str,
) -> Result<(), StoreError> {
    if let Some(before) = before
        && let Some((key, span)) = current_status(change.tx, account, before)?
    {
        put_end(change, &key, span, reason)?;
    }
    let span = SpanRecord {
        until: None,
        reason: reason.to_owned(),
        origin: GrantOrigin::Policy,
        by: None,
        request: change.request(),
        revision: change.revision(),
        ended_reason: None,
        ended_request: None,
        ended_revision: None,
    };
    let name = after.name().to_owned();
    let key = (
        account,
        change.at().0,
        SpanKind::Status.name().to_owned(),
        name,
    );
    change.tx.put::<Spans>(&key, &span)
}

fn current_status(
    reader: &impl Read<OrganizationScope>,
    account: Uuid,
    status: AccountStatus,
) -> Result<Option<(SpanKey, SpanRecord)>, StoreError> {
    let mut found = None;
    for row in reader.scan::<Spans>(Range::prefix(&account))? {
        let (key, span) = row?;
        let is_status = key.2 == SpanKind::Status.name() && key.3 == status.name();
        if is_status && span.until.is_none() {
            found = Some((key, span));
        }
    }
    Ok(found)
}

/// All spans of an account, in the order in which they began.
///
/// # Errors
/// What the store says.
pub fn of_account(
    reader: &impl Read<OrganizationScope>,
    account: Uuid,
) -> Result<Vec<(SpanKey, SpanRecord)>, StoreError> {
    let rows = reader.scan::<Spans>(Range::prefix(&account))?;
    let mut spans = rows.collect::<Result<Vec<_>, _>>()?;
    spans.sort_by_key(|(key, span)| (key.1, span.revision));
    Ok(spans)
}

/// Who had this at that time: up to `limit` accounts, by their ids, behind the one `after`. Costs a
/// step for each account that ever had it.
///
/// # Errors
/// What the store says.
pub fn at(
    reader: &impl Read<OrganizationScope>,
    (kind, name): (SpanKind, &str),
    time: Timestamp,
    after: Option<Uuid>,
    limit: usize,
) -> Result<Vec<(SpanKey, SpanRecord)>, StoreError> {
    let mut found = Vec::new();
    let wanted = (kind.name().to_owned(), name.to_owned());
    for row in reader.index_scan(&SPANS_BY_NAME, Range::prefix(&wanted))? {
        let (_, key) = row?;
        if key.1 > time.0 || after.is_some_and(|after| key.0 <= after) {
            continue;
        }
        let Some(span) = reader.get::<Spans>(&key)? else {
            continue;
        };
        if span.until.is_none_or(|until| until > time) {
            found.push((key, span));
            if found.len() == limit {
                break;
            }
        }
    }
    Ok(found)
}

fn put_end(
    change: &mut Change<'_, '_>,
    key: &SpanKey,
    span: SpanRecord,
    why: &str,
) -> Result<(), StoreError> {
    let span = SpanRecord {
        until: Some(change.at()),
        ended_reason: Some(why.to_owned()),
        ended_request: change.request(),
        ended_revision: Some(change.revision()),
        ..span
    };
    change.tx.put::<Spans>(key, &span)
}

fn key(account: Uuid, grant: &GrantRecord) -> SpanKey {
    let kind = SpanKind::from(grant.kind).name().to_owned();
    (account, grant.since.0, kind, grant.name.clone())
}

fn span(grant: &GrantRecord) -> SpanRecord {
    SpanRecord {
        until: None,
        reason: grant.reason.clone(),
        origin: grant.origin,
        by: grant.by.clone(),
        request: grant.request,
        revision: grant.revision,
        ended_reason: None,
        ended_request: None,
        ended_revision: None,
    }
}

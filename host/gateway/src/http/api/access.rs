//! Who may do what in the API: resolved once for each request, before its handler runs.

use super::error::ApiError;
use crate::directory::credentials;
use crate::directory::organizations;
use crate::http::{Shared, auth};
use crate::model::tenancy::Purpose;
use axum::extract::{FromRequestParts, OriginalUri, RawPathParams};
use axum::http::request::Parts;
use gatewright_store::{Organization, OrganizationId};
use uuid::Uuid;

/// A request with an operator's key.
pub(super) struct Operator;

/// A request about an organization that its key may read.
pub(super) struct Reads(pub(super) Organization);

/// A request about an organization with an operator's key.
pub(super) struct Administers(pub(super) Organization);

impl FromRequestParts<Shared> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, ApiError> {
        match purpose(parts, shared).await? {
            Purpose::Operator { .. } => Ok(Self),
            Purpose::Application { .. } => Err(ApiError::NotOperator),
            Purpose::Directory { .. } => Err(ApiError::ScimToken),
        }
    }
}

impl FromRequestParts<Shared> for Reads {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, ApiError> {
        let purpose = purpose(parts, shared).await?;
        organization(parts, shared, &purpose).await.map(Self)
    }
}

impl FromRequestParts<Shared> for Administers {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, ApiError> {
        let purpose = purpose(parts, shared).await?;
        let organization = organization(parts, shared, &purpose).await?;
        match purpose {
            Purpose::Operator { .. } => Ok(Self(organization)),
            Purpose::Application { .. } | Purpose::Directory { .. } => Err(ApiError::NotOperator),
        }
    }
}

async fn purpose(parts: &Parts, shared: &Shared) -> Result<Purpose, ApiError> {
    let secret = auth::bearer(&parts.headers)?;
    let found = shared
        .gateway
        .run(move |gateway| credentials::resolve(&gateway.store, &secret))
        .await??;
    Ok(found.ok_or(ApiError::UnknownToken)?.purpose)
}

/// The organization of the path, else of the key. To whom it is not open it does not exist.
async fn organization(
    parts: &mut Parts,
    shared: &Shared,
    purpose: &Purpose,
) -> Result<Organization, ApiError> {
    let named = named(parts, shared).await;
    let bound = match purpose {
        Purpose::Application { organization } => Some(*organization),
        Purpose::Operator { organization } => *organization,
        Purpose::Directory { .. } => return Err(ApiError::ScimToken),
    };
    let id = match (named, bound, purpose) {
        (None, Some(bound), _) => bound,
        (None, None, _) => return Err(ApiError::NoOrganizationInPath(below(parts))),
        (Some(named), bound, purpose) => {
            let unknown = || ApiError::NoOrganization(named.clone());
            let id: Uuid = named.parse().map_err(|_| unknown())?;
            let open = matches!(purpose, Purpose::Operator { .. }) || bound == Some(id);
            if !open {
                return Err(unknown());
            }
            id
        }
    };
    let found = shared
        .gateway
        .run(move |gateway| organizations::find(&gateway.store, id).map(|(id, _)| id))
        .await??;
    let id: OrganizationId = found;
    Ok(shared.gateway.store.organization(id))
}

async fn named(parts: &mut Parts, shared: &Shared) -> Option<String> {
    let params = RawPathParams::from_request_parts(parts, shared)
        .await
        .ok()?;
    params
        .iter()
        .find(|(name, _)| *name == "organization")
        .map(|(_, value)| value.to_owned())
}

fn below(parts: &Parts) -> String {
    let path = parts.extensions.get::<OriginalUri>().map_or_else(
        || parts.uri.path().to_owned(),
        |original| original.path().to_owned(),
    );
    path.strip_prefix("/api/v1").unwrap_or(&path).to_owned()
}

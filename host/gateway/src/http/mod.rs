//! The door: listener, TLS, authentication, limits, and what is behind it: SCIM and the API.

pub mod api;
mod auth;
mod body;
pub mod listener;
pub mod scim;

use crate::gateway::Gateway;
use axum::Router;
use axum::routing::any;
use std::sync::Arc;

/// What handlers share.
#[derive(Clone)]
pub struct Shared {
    /// The gateway.
    pub gateway: Arc<Gateway>,
    /// What clients call it: `https://provision.example.com`, without a slash at the end.
    pub public_url: Arc<str>,
}

/// All routes.
pub fn router(shared: Shared) -> Router {
    Router::new()
        .route("/health", any(api::health))
        .nest("/api/v1", api::router(&shared))
        .fallback(scim::handle)
        .layer(axum::middleware::from_fn(body::close_unread))
        .with_state(shared)
}

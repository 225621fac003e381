//! The API below `/api/v1`: administration with an operator's key, reading what was decided with
//! the application's key.
//!
//! What belongs to an organization is at `/api/v1/organizations/{organization}/...`; a key that is
//! bound to an organization may leave that part out: `/api/v1/accounts`.

mod access;
mod accounts;
mod answer;
mod bindings;
mod catalogue;
mod deleted;
mod directories;
mod domains;
mod error;
mod events;
mod groups;
mod guards;
mod hand;
mod health;
mod history;
mod import;
mod links;
mod mapping;
mod organizations;
mod phases;
mod plans;
mod plugins;
mod query;
mod reports;
mod requests;
mod schemas;
mod shadows;
mod tokens;

pub(crate) use plugins::show_report;

use super::Shared;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use error::ApiError;
use std::time::Instant;
use tracing::info;

/// All routes below `/api/v1`.
pub(super) fn router(shared: &Shared) -> Router<Shared> {
    Router::new()
        .route(
            "/organizations",
            get(organizations::list).post(organizations::create),
        )
        .route("/plugins", get(plugins::list).post(plugins::install))
        .route("/plugins/folder", get(plugins::folder))
        .route(
            "/plugins/{plugin}",
            get(plugins::show).delete(plugins::remove),
        )
        .route(
            "/default-catalogue",
            get(catalogue::show_default).put(catalogue::replace_default),
        )
        .merge(organization())
        .nest("/organizations/{organization}", organization())
        .fallback(unknown)
        .method_not_allowed_fallback(method)
        .layer(from_fn_with_state(shared.clone(), log))
}

/// What belongs to one organization.
fn organization() -> Router<Shared> {
    Router::new()
        .route("/", get(organizations::show))
        .route("/accounts", get(accounts::list))
        .route("/accounts/import", put(import::import))
        .route("/accounts/{account}", get(accounts::show))
        .route(
            "/accounts/{account}/roles/{role}",
            put(hand::give_role).delete(hand::take_role),
        )
        .route(
            "/accounts/{account}/seats/{seat}",
            put(hand::give_seat).delete(hand::take_seat),
        )
        .route(
            "/accounts/{account}/signals/{source}",
            put(hand::put_signal),
        )
        .route("/links", get(links::list).post(links::resolve))
        .route("/domains", get(domains::list))
        .route(
            "/domains/{domain}",
            put(domains::put).delete(domains::remove),
        )
        .route("/domains/{domain}/verify", post(domains::verify))
        .route("/groups", get(groups::list))
        .route("/groups/{group}", get(groups::show))
        .route("/groups/{group}/members", get(groups::members))
        .route("/events", get(events::list))
        .route("/alerts", get(events::alerts))
        .route(
            "/directories",
            get(directories::list).post(directories::create),
        )
        .route(
            "/directories/{directory}",
            get(directories::show).patch(directories::update),
        )
        .route("/directories/{directory}/health", get(health::of_directory))
        .route("/directories/{directory}/confirm", post(phases::confirm))
        .route("/directories/{directory}/pause", post(phases::pause))
        .route("/directories/{directory}/resume", post(phases::resume))
        .route(
            "/directories/{directory}/uninstall",
            post(phases::uninstall),
        )
        .route(
            "/directories/{directory}/schemas",
            get(schemas::show).put(schemas::declare),
        )
        .route("/directories/{directory}/requests", get(requests::list))
        .route(
            "/directories/{directory}/requests/{request}",
            get(requests::show),
        )
        .route(
            "/directories/{directory}/requests/{request}/replay",
            post(requests::replay),
        )
        .route("/directories/{directory}/deleted-users", get(deleted::list))
        .route(
            "/directories/{directory}/deleted-users/{user}/restore",
            post(deleted::restore),
        )
        .route("/tokens", get(tokens::list).post(tokens::create))
        .route("/tokens/{token}", axum::routing::delete(tokens::revoke))
        .route("/mapping", get(mapping::show).put(mapping::replace))
        .route("/mapping/{entry}/pin", post(mapping::pin))
        .route(
            "/catalogue",
            get(catalogue::show)
                .put(catalogue::replace)
                .delete(catalogue::follow),
        )
        .route("/accounts/{account}/explain", get(history::explain))
        .route("/accounts/{account}/history", get(history::of_account))
        .route("/history", get(history::at))
        .route("/guards", get(guards::show).put(guards::set))
        .route("/holds", get(guards::holds))
        .route("/holds/{answer}", post(guards::answer))
        .route("/removals", get(guards::removals))
        .route("/removals/restore", post(guards::restore))
        .route("/removals/accept", post(guards::accept))
        .route("/catalogue/versions", get(catalogue::list))
        .route("/plans", get(plans::list).post(plans::create))
        .route("/plans/{plan}", get(plans::show).delete(plans::delete))
        .route("/plans/{plan}/accounts", get(plans::accounts))
        .route("/plans/{plan}/links", get(plans::links))
        .route("/plans/{plan}/confirm", post(plans::confirm))
        .route("/bindings", get(bindings::list))
        .route("/bindings/{slot}", get(bindings::show).put(bindings::bind))
        .route("/bindings/{slot}/health", get(health::of_slot))
        .route("/bindings/{slot}/versions", get(bindings::versions))
        .route("/bindings/{slot}/rollback", post(bindings::roll_back))
        .route("/bindings/{slot}/pause", post(bindings::pause))
        .route("/bindings/{slot}/resume", post(bindings::resume))
        .route(
            "/bindings/{slot}/shadow",
            get(shadows::show).put(shadows::start),
        )
        .route(
            "/bindings/{slot}/shadow/differences",
            get(shadows::differences),
        )
        .route("/bindings/{slot}/shadow/activate", post(shadows::activate))
        .route("/bindings/{slot}/shadow/stop", post(shadows::stop))
        .route("/plugin-reports", get(reports::list))
        .route("/plugin-reports/{report}", get(reports::show))
        .route("/plugin-reports/{report}/replay", post(reports::replay))
}

/// `/health`: answers while the process can. Needs no key and tells nothing.
pub(super) async fn health(method: Method) -> Response {
    match method {
        Method::GET | Method::HEAD => (
            StatusCode::OK,
            [("content-type", "application/json")],
            "{\"status\":\"ok\"}",
        )
            .into_response(),
        _ => {
            let refused = ApiError::Method(method).into_response();
            ([("allow", "GET, HEAD")], refused).into_response()
        }
    }
}

async fn unknown(request: Request) -> ApiError {
    ApiError::NoSuchPath(request.uri().path().to_owned())
}

async fn method(request: Request) -> ApiError {
    ApiError::Method(request.method().clone())
}

async fn log(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = shared.gateway.random.id(shared.gateway.clock.now());
    let method = request.method().clone();
    let path = request
        .extensions()
        .get::<axum::extract::OriginalUri>()
        .map_or_else(
            || request.uri().path().to_owned(),
            |original| original.path().to_owned(),
        );
    // Refused here, before an extractor of the framework does it in its own words.
    let readable = percent_encoding::percent_decode_str(&path)
        .decode_utf8()
        .is_ok();
    let mut response = if readable {
        next.run(request).await
    } else {
        ApiError::NoSuchPath(path.clone()).into_response()
    };
    let cause = response.extensions_mut().remove::<error::Cause>();
    info!(
        request = %id, %method, path, status = response.status().as_u16(),
        ms = began.elapsed().as_secs_f64() * 1_000.0, error = cause.map(|cause| cause.0),
        "API"
    );
    if let Ok(id) = id.to_string().parse() {
        response.headers_mut().insert("gatewright-request-id", id);
    }
    response
}

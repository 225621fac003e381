//! What a path and a method mean, and what else is read from a request's head.

use super::error::Failure;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, PROXY_AUTHORIZATION};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use gatewright_scim::ResourceType;

/// A path that exists, with what may be done there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Of one type; none: of all.
    Search(Option<ResourceType>),
    Users(Option<String>),
    Groups(Option<String>),
    Discovery(What),
    Bulk,
    /// The user that the token is for, which no token is.
    Me,
}

/// A request that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Search(Option<ResourceType>),
    Users(Verb),
    Groups(Verb),
    Discovery(What),
    /// Many of them.
    Bulk,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    List,
    Create,
    Get(String),
    Replace(String),
    Patch(String),
    Delete(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    ServiceProviderConfig,
    Schemas,
    Schema(String),
    ResourceTypes,
    ResourceType(String),
}

/// The directory and the place that a path names.
pub(super) fn parse(path: &str) -> Result<(String, Place), Failure> {
    let unknown = || Failure::NoSuchPath(path.to_owned());
    let rest = path.strip_prefix("/scim/v2/").ok_or_else(unknown)?;
    let mut segments = Vec::new();
    for segment in rest.trim_end_matches('/').split('/') {
        segments.push(decode(segment).ok_or_else(unknown)?);
    }
    let mut segments = segments.into_iter();
    let directory = segments
        .next()
        .filter(|name| !name.is_empty())
        .ok_or_else(unknown)?;
    let resource = segments.next().ok_or_else(unknown)?;
    let id = segments.next();
    if segments.next().is_some() || id.as_deref() == Some("") {
        return Err(unknown());
    }
    let place = match (resource.as_str(), id) {
        (".search", None) => Place::Search(None),
        ("Users", Some(id)) if id == ".search" => Place::Search(Some(ResourceType::User)),
        ("Groups", Some(id)) if id == ".search" => Place::Search(Some(ResourceType::Group)),
        ("Users", id) => Place::Users(id),
        ("Groups", id) => Place::Groups(id),
        ("Bulk", None) => Place::Bulk,
        ("Me", None) => Place::Me,
        ("ServiceProviderConfig", None) => Place::Discovery(What::ServiceProviderConfig),
        ("Schemas", None) => Place::Discovery(What::Schemas),
        ("Schemas", Some(id)) => Place::Discovery(What::Schema(id)),
        ("ResourceTypes", None) => Place::Discovery(What::ResourceTypes),
        ("ResourceTypes", Some(id)) => Place::Discovery(What::ResourceType(id)),
        _ => return Err(unknown()),
    };
    Ok((directory, place))
}

impl Place {
    pub(super) fn with_method(self, method: &Method) -> Result<Route, Failure> {
        const COLLECTION: &str = "GET, POST";
        const RESOURCE: &str = "GET, PUT, PATCH, DELETE";
        let verb = |id: Option<String>| match (method.as_str(), id) {
            ("GET", None) => Ok(Verb::List),
            ("POST", None) => Ok(Verb::Create),
            ("GET", Some(id)) => Ok(Verb::Get(id)),
            ("PUT", Some(id)) => Ok(Verb::Replace(id)),
            ("PATCH", Some(id)) => Ok(Verb::Patch(id)),
            ("DELETE", Some(id)) => Ok(Verb::Delete(id)),
            (_, None) => Err(Failure::Method {
                method: method.clone(),
                allowed: COLLECTION,
            }),
            (_, Some(_)) => Err(Failure::Method {
                method: method.clone(),
                allowed: RESOURCE,
            }),
        };
        match self {
            Self::Search(of) if method == Method::POST => Ok(Route::Search(of)),
            Self::Bulk if method == Method::POST => Ok(Route::Bulk),
            Self::Search(_) | Self::Bulk => Err(Failure::Method {
                method: method.clone(),
                allowed: "POST",
            }),
            Self::Users(id) => Ok(Route::Users(verb(id)?)),
            Self::Groups(id) => Ok(Route::Groups(verb(id)?)),
            Self::Me => Err(Failure::Me),
            Self::Discovery(what) if method == Method::GET => Ok(Route::Discovery(what)),
            Self::Discovery(_) => Err(Failure::Method {
                method: method.clone(),
                allowed: "GET",
            }),
        }
    }
}

impl Route {
    /// The first segment below the base URL.
    pub(super) fn resource(&self) -> &'static str {
        match self {
            Self::Search(_) => ".search",
            Self::Bulk => "Bulk",
            Self::Users(_) => "Users",
            Self::Groups(_) => "Groups",
            Self::Discovery(What::ServiceProviderConfig) => "ServiceProviderConfig",
            Self::Discovery(What::Schemas | What::Schema(_)) => "Schemas",
            Self::Discovery(What::ResourceTypes | What::ResourceType(_)) => "ResourceTypes",
        }
    }

    pub(super) fn method(&self) -> &'static str {
        match self.verb() {
            None if matches!(self, Self::Search(_) | Self::Bulk) => "POST",
            Some(Verb::Create) => "POST",
            Some(Verb::Replace(_)) => "PUT",
            Some(Verb::Patch(_)) => "PATCH",
            Some(Verb::Delete(_)) => "DELETE",
            Some(Verb::List | Verb::Get(_)) | None => "GET",
        }
    }

    /// The second segment.
    pub(super) fn id(&self) -> Option<&str> {
        match self {
            Self::Discovery(What::Schema(id) | What::ResourceType(id)) => Some(id),
            Self::Discovery(_) | Self::Search(_) | Self::Bulk => None,
            Self::Users(verb) | Self::Groups(verb) => match verb {
                Verb::List | Verb::Create => None,
                Verb::Get(id) | Verb::Replace(id) | Verb::Patch(id) | Verb::Delete(id) => Some(id),
            },
        }
    }

    pub(super) fn has_body(&self) -> bool {
        matches!(self, Self::Search(_) | Self::Bulk)
            || matches!(
                self.verb(),
                Some(Verb::Create | Verb::Replace(_) | Verb::Patch(_))
            )
    }

    fn verb(&self) -> Option<&Verb> {
        match self {
            Self::Users(verb) | Self::Groups(verb) => Some(verb),
            Self::Discovery(_) | Self::Search(_) | Self::Bulk => None,
        }
    }
}

/// `application/scim+json` and `application/json`, with any parameters; nothing at all is taken
/// for the same, as some clients send none.
pub(super) fn check_media_type(headers: &HeaderMap) -> Result<(), Failure> {
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return Ok(());
    };
    let text = value.to_str().unwrap_or("");
    let media_type = text
        .split(';')
        .next()
        .unwrap_or("")
        .trim()
        .to_ascii_lowercase();
    match media_type.as_str() {
        "application/scim+json" | "application/json" | "" => Ok(()),
        _ => Err(Failure::MediaType(text.to_owned())),
    }
}

/// The query parameters, decoded as forms are: `+` is a space, as Okta and OneLogin send it.
pub(super) fn query(parts: &Parts) -> Vec<(String, String)> {
    let query = parts.uri.query().unwrap_or("");
    form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

/// What plugins may see of the headers.
pub(super) fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let secret = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE];
    headers
        .iter()
        .filter(|(name, _)| !secret.contains(name))
        .filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        })
        .collect()
}

fn decode(segment: &str) -> Option<String> {
    percent_encoding::percent_decode_str(segment)
        .decode_utf8()
        .ok()
        .map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_places() {
        let place = |path: &str| parse(path).ok().map(|(_, place)| place);
        assert_eq!(place("/scim/v2/d/Users"), Some(Place::Users(None)));
        assert_eq!(place("/scim/v2/d/Users/"), Some(Place::Users(None)));
        assert_eq!(
            place("/scim/v2/d/Users/a%20b"),
            Some(Place::Users(Some("a b".into())))
        );
        assert_eq!(
            place("/scim/v2/d/Schemas/urn:x"),
            Some(Place::Discovery(What::Schema("urn:x".into())))
        );
        for unknown in [
            "/",
            "/scim/v2",
            "/scim/v2/d",
            "/scim/v2//Users",
            "/scim/v2/d/users",
            "/scim/v2/d/Users/a/b",
        ] {
            assert_eq!(place(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn methods_are_checked_by_place() {
        let route = |path: &str, method: &str| {
            let (_, place) = parse(path).unwrap();
            place
                .with_method(&Method::from_bytes(method.as_bytes()).unwrap())
                .ok()
        };
        assert_eq!(
            route("/scim/v2/d/Users", "POST"),
            Some(Route::Users(Verb::Create))
        );
        assert_eq!(
            route("/scim/v2/d/.search", "POST"),
            Some(Route::Search(None))
        );
        assert_eq!(route("/scim/v2/d/Bulk", "POST"), Some(Route::Bulk));
        assert_eq!(route("/scim/v2/d/Bulk", "GET"), None);
        assert_eq!(route("/scim/v2/d/Users/.search", "GET"), None);
        assert_eq!(route("/scim/v2/d/Users", "DELETE"), None);
        assert_eq!(route("/scim/v2/d/Groups/1", "POST"), None);
        assert_eq!(route("/scim/v2/d/Schemas", "PUT"), None);
        assert_eq!(route("/scim/v2/d/Me", "GET"), None);
    }
}

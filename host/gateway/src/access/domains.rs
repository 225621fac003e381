//! Domains that are shown to be an organization's. Only within them is a user taken for the person
//! whose account has the same email.

use crate::clock::{Random, Timestamp};
use crate::directory::credentials::hex;
use crate::ledger::{Committed, change};
use crate::model::people::{DomainRecord, Domains, VerifiedBy};
use crate::model::spread::Spread;
use gatewright_store::{Organization, OrganizationScope, Range, Read, StoreError, WriteError};
use serde_json::json;

/// Domains that an organization may name.
pub const MOST_DOMAINS: usize = 1_000;

/// The label below a domain where its TXT record stands.
const LABEL: &str = "_gatewright";

/// Why a domain was not stored or verified.
#[derive(Debug, thiserror::Error)]
pub enum DomainError {
    /// It is none.
    #[error(
        "\"{0}\" is no domain: write it as in DNS, such as acme.com, and an internationalized one in \
         its form with xn--"
    )]
    Invalid(String),
    /// It was not named.
    #[error("the domain \"{0}\" is not on the list: put it there first")]
    Unknown(String),
    /// Too many.
    #[error("an organization has at most {MOST_DOMAINS} domains: remove one first")]
    TooMany,
    /// DNS does not say so.
    #[error(
        "{name} has no TXT record \"{wanted}\": set it and try again, for a change of DNS takes some \
         time; there are {found} other TXT records"
    )]
    NotShown {
        /// Where it has to be.
        name: String,
        /// What it has to say.
        wanted: String,
        /// How many others there are.
        found: usize,
    },
    /// The store failed.
    #[error("the domain could not be stored")]
    Store(#[from] StoreError),
}

/// A domain in lower case, as it is stored.
///
/// # Errors
/// Where it is no domain: labels of letters, digits and hyphens, at least two of them.
pub fn parse(text: &str) -> Result<String, DomainError> {
    let domain = text.trim_end_matches('.').to_ascii_lowercase();
    let label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let edges = !label.starts_with('-') && !label.ends_with('-');
        (1..=63).contains(&label.len()) && label.bytes().all(inner) && edges
    };
    // With the label of the record before it, it is still a name of DNS.
    let fits = domain.len() + LABEL.len() < 253 && domain.contains('.');
    match fits && domain.split('.').all(label) {
        true => Ok(domain),
        false => Err(DomainError::Invalid(text.to_owned())),
    }
}

/// Where the TXT record of a domain has to be.
#[must_use]
pub fn record_name(domain: &str) -> String {
    format!("{LABEL}.{domain}")
}

/// What it has to say.
#[must_use]
pub fn record_value(domain: &DomainRecord) -> String {
    format!("gatewright-verification={}", domain.token)
}

/// The domain of an email, in lower case.
#[must_use]
pub fn of_email(email: &str) -> Option<String> {
    let (local, domain) = email.rsplit_once('@')?;
    (!local.is_empty() && !domain.is_empty()).then(|| domain.to_lowercase())
}

/// Whether an email is of a verified domain. A subdomain is another domain.
///
/// # Errors
/// What the store says.
pub fn is_verified(reader: &impl Read<OrganizationScope>, email: &str) -> Result<bool, StoreError> {
    let Some(domain) = of_email(email) else {
        return Ok(false);
    };
    let record = reader.get::<Domains>(&domain)?;
    Ok(record.is_some_and(|record| record.verified.is_some()))
}

/// The domains, in the order of their names.
///
/// # Errors
/// What the store says.
pub fn all(
    reader: &impl Read<OrganizationScope>,
) -> Result<Vec<(String, DomainRecord)>, StoreError> {
    reader.scan::<Domains>(Range::all())?.collect()
}

/// A domain that was named.
///
/// # Errors
/// Where it was not.
pub fn get(
    reader: &impl Read<OrganizationScope>,
    domain: &str,
) -> Result<DomainRecord, DomainError> {
    let found = reader.get::<Domains>(&domain.to_owned())?;
    found.ok_or_else(|| DomainError::Unknown(domain.to_owned()))
}

/// Names a domain. One that was named before stays as it is.
///
/// # Errors
/// Where there are too many.
pub fn put(
    organization: &Organization,
    at: Timestamp,
    random: &Random,
    domain: String,
) -> Result<Committed<DomainRecord>, WriteError<DomainError>> {
    let token = hex(&random.bytes::<16>());
    change(organization, at, move |change| {
        if let Some(known) = change.tx.get::<Domains>(&domain)? {
            return Ok(known);
        }
        let many = change.tx.keys::<Domains>(Range::all())?.take(MOST_DOMAINS);
        if many.count() == MOST_DOMAINS {
            return Err(DomainError::TooMany);
        }
        let record = DomainRecord {
            token: token.clone(),
            created: at,
            verified: None,
        };
        change.tx.put::<Domains>(&domain, &record)?;
        change.event("domain.added", json!({ "domain": domain }))?;
        Ok(record)
    })
}

/// Stores that a domain is verified. Users that wait because it was not are looked at again.
///
/// # Errors
/// Where it was not named.
pub fn verified(
    organization: &Organization,
    at: Timestamp,
    domain: String,
    by: VerifiedBy,
) -> Result<Committed<DomainRecord>, WriteError<DomainError>> {
    change(organization, at, move |change| {
        let mut record = get(change.tx, &domain)?;
        if record.verified.is_none() {
            record.verified = Some((change.at(), by));
            change.tx.put::<Domains>(&domain, &record)?;
            change.event("domain.verified", json!({ "domain": domain, "by": by }))?;
            change.spread(Spread::Waiting)?;
        }
        Ok(record)
    })
}

/// Says whether TXT records verify a domain.
///
/// # Errors
/// Where none of them does.
pub fn check(domain: &str, record: &DomainRecord, texts: &[String]) -> Result<(), DomainError> {
    let wanted = record_value(record);
    if texts.contains(&wanted) {
        return Ok(());
    }
    Err(DomainError::NotShown {
        name: record_name(domain),
        wanted,
        found: texts.len(),
    })
}

/// Takes a domain from the list. Links that were made stay.
///
/// # Errors
/// Where it is not there.
pub fn remove(
    organization: &Organization,
    at: Timestamp,
    domain: String,
) -> Result<Committed<()>, WriteError<DomainError>> {
    change(organization, at, move |change| {
        if !change.tx.delete::<Domains>(&domain)? {
            return Err(DomainError::Unknown(domain.clone()));
        }
        change.event("domain.removed", json!({ "domain": domain }))?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_those_of_dns() {
        let parsed = |text: &str| parse(text).ok();
        assert_eq!(parsed("Acme.COM."), Some("acme.com".into()));
        assert_eq!(
            parsed("xn--mnchen-3ya.de"),
            Some("xn--mnchen-3ya.de".into())
        );
        let long = format!("{}.com", "a".repeat(64));
        for wrong in [
            "",
            "com",
            "a b.com",
            "-a.com",
            "a-.com",
            "a..com",
            "münchen.de",
            &long,
            "*.com",
        ] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_email_s_domain_is_behind_its_last_at() {
        assert_eq!(of_email("\"a@b\"@Acme.com"), Some("acme.com".into()));
        for wrong in ["", "acme.com", "@acme.com", "ada@"] {
            assert_eq!(of_email(wrong), None, "{wrong}");
        }
    }
}

//! Bearer tokens: made, shown once, kept as a digest, resolved to what they may do.

use crate::clock::{Random, Timestamp};
use crate::ledger::Change;
use crate::model::tenancy::{CredentialRecord, Credentials, Purpose, TokenRecord, Tokens};
use gatewright_store::{Range, Read, Store, StoreError, SystemScope, Writer};
use sha2::{Digest, Sha256};
use std::fmt;
use uuid::Uuid;

/// A bearer token. It cannot be printed by accident: showing it takes [`Secret::reveal`].
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A new token: a prefix by which people and scanners for leaked secrets recognise it, then
    /// 256 random bits in hexadecimal.
    #[must_use]
    pub fn generate(random: &Random, prefix: &str) -> Self {
        let bytes: [u8; 32] = random.bytes();
        Self(format!("{prefix}{}", hex(&bytes)))
    }

    /// A token that somebody presents.
    #[must_use]
    pub fn presented(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The token itself: for the one answer that shows it, and for files of mode 0600.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The last four characters, by which people tell tokens apart.
    #[must_use]
    pub fn hint(&self) -> String {
        let start = self.0.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
        self.0[start..].to_owned()
    }

    /// SHA-256. A fast digest is right for 256 random bits, which nobody can guess; and a lookup
    /// by digest tells an attacker nothing by its timing, for it is not the secret that is
    /// compared.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(...)")
    }
}

/// The prefix of each kind of token.
#[must_use]
pub fn prefix(purpose: &Purpose) -> &'static str {
    match purpose {
        Purpose::Directory { .. } => "gwd_",
        Purpose::Application { .. } => "gwa_",
        Purpose::Operator { .. } => "gwo_",
    }
}

/// What a presented token may do; none where it is unknown or revoked.
///
/// # Errors
/// What the store says.
pub fn resolve(store: &Store, secret: &Secret) -> Result<Option<CredentialRecord>, StoreError> {
    store.system().read()?.get::<Credentials>(&secret.digest())
}

/// Makes this the one operator's key of its kind. The key before it, if it was another one, is
/// valid no more: who replaces the file that holds it has revoked the old one.
///
/// # Errors
/// What the store says.
pub fn admit_operator(
    tx: &mut Writer<'_, SystemScope>,
    id: Uuid,
    secret: &Secret,
    organization: Option<Uuid>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let purpose = Purpose::Operator { organization };
    let digest = secret.digest();
    let mut known = false;
    let mut replaced = Vec::new();
    // All credentials, once at each start.
    for row in tx.scan::<Credentials>(Range::all())? {
        let (other, record) = row?;
        if record.purpose == purpose {
            known |= other == digest;
            if other != digest {
                replaced.push(other);
            }
        }
    }
    for other in &replaced {
        tx.delete::<Credentials>(other)?;
    }
    if !known {
        let record = CredentialRecord {
            id,
            purpose,
            created: now,
        };
        tx.put::<Credentials>(&digest, &record)?;
    }
    Ok(())
}

/// Stores a new token in the organization's list; the caller stores the credential with
/// [`credential`] in the same transaction.
///
/// # Errors
/// What the store says.
pub fn list(
    change: &mut Change<'_, '_>,
    id: Uuid,
    secret: &Secret,
    purpose: &Purpose,
) -> Result<(), StoreError> {
    let record = TokenRecord {
        purpose: purpose.clone(),
        hint: secret.hint(),
        digest: hex(&secret.digest()),
        created: change.at(),
        revoked: None,
    };
    change.tx.put::<Tokens>(&id, &record)?;
    change.event(
        "token.created",
        serde_json::json!({ "token": id, "hint": record.hint }),
    )
}

/// Stores the credential of a token.
///
/// # Errors
/// What the store says.
pub fn credential(
    tx: &mut Writer<'_, SystemScope>,
    id: Uuid,
    secret: &Secret,
    purpose: &Purpose,
    now: Timestamp,
) -> Result<(), StoreError> {
    let record = CredentialRecord {
        id,
        purpose: purpose.clone(),
        created: now,
    };
    tx.put::<Credentials>(&secret.digest(), &record)
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// The bytes of 64 hexadecimal digits.
#[must_use]
pub fn unhex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        let secret = Secret::presented("gwd_abcdef");
        assert_eq!(format!("{secret:?}"), "Secret(...)");
        assert_eq!(secret.hint(), "cdef");
    }

    #[test]
    fn secrets_carry_256_bits_behind_a_prefix() {
        let secret = Secret::generate(&Random::system(), "gwd_");
        assert_eq!(secret.reveal().len(), 4 + 64);
        assert_eq!(unhex(&hex(&secret.digest())), Some(secret.digest()));
    }
}

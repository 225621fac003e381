//! The URN of the enterprise extension without its last colon, as an example of Microsoft's has it.

use gatewright_sdk::{Repair, Repairs, shallow::Object};

const MISSPELT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0User";
const RIGHT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Corrects the names of attributes; whether one was misspelt.
pub(crate) fn mend(user: &mut Object<'_>, repairs: &mut Repairs) -> bool {
    let misspelt: Vec<(String, String)> = user
        .names()
        .filter_map(|name| Some((name.to_owned(), corrected(name)?)))
        .collect();
    let mut renamed = false;
    for (wrong, right) in misspelt {
        renamed |= user.rename(&wrong, &right);
    }
    if renamed {
        repairs.note(repair());
    }
    renamed
}

/// A name with the URN as it should be; none if it is not misspelt.
pub(crate) fn corrected(name: &str) -> Option<String> {
    let urn = name.get(..MISSPELT.len())?;
    let rest = name.get(MISSPELT.len()..)?;
    let is_misspelt =
        urn.eq_ignore_ascii_case(MISSPELT) && (rest.is_empty() || rest.starts_with(':'));
    is_misspelt.then(|| format!("{RIGHT}{rest}"))
}

/// The repair, in words.
pub(crate) fn repair() -> Repair {
    Repair::new(
        "corrected the URN of the enterprise extension",
        "an example of Microsoft's lacks its last colon, and mappings were made from it",
    )
}

//! Whether a declaration can be a schema. Each error names the field, and what would be right.

use super::declared::{AttributeDefinition, DeclarationError, MOST_ATTRIBUTES, SchemaDefinition};
use super::{Kind, Mutability, Returned, Uniqueness};

pub(super) fn schema(definition: &SchemaDefinition, at: &str) -> Result<(), DeclarationError> {
    let id = &definition.id;
    let prefix = |prefix: &str| {
        id.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"()[]{},\\`~".contains(&byte);
    let named = id.len() > 6 && id.len() <= 200 && id.bytes().all(plain) && !id.ends_with(':');
    if !prefix("urn:") || !named {
        let what = "must be a URN of at most 200 characters, such as \
                    `urn:example:params:scim:schemas:extension:acme:2.0:User`";
        return wrong(&format!("{at}.id"), what.into());
    }
    if prefix("urn:ietf:params:scim:schemas:core:")
        || prefix("urn:ietf:params:scim:schemas:extension:enterprise:")
        || prefix("urn:ietf:params:scim:api:")
    {
        let what = "is the RFC's own and cannot be declared; choose a URN of yours";
        return wrong(&format!("{at}.id"), what.into());
    }
    text(&definition.name, 1, 200, &format!("{at}.name"))?;
    text(
        &definition.description,
        0,
        1_000,
        &format!("{at}.description"),
    )?;
    attributes(&definition.attributes, &format!("{at}.attributes"), false)
}

fn attributes(
    attributes: &[AttributeDefinition],
    at: &str,
    within: bool,
) -> Result<(), DeclarationError> {
    if attributes.is_empty() || attributes.len() > MOST_ATTRIBUTES {
        return wrong(
            at,
            format!("must be from 1 to {MOST_ATTRIBUTES} attributes"),
        );
    }
    for (index, attribute) in attributes.iter().enumerate() {
        let at = format!("{at}[{index}]");
        let twin = |other: &AttributeDefinition| other.name.eq_ignore_ascii_case(&attribute.name);
        if attributes.iter().take(index).any(twin) {
            return wrong(&format!("{at}.name"), "is there twice".into());
        }
        one(attribute, &at, within)?;
    }
    Ok(())
}

fn one(attribute: &AttributeDefinition, at: &str, within: bool) -> Result<(), DeclarationError> {
    let name = attribute.name.as_str();
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let begins = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
    let is_name = begins && name.len() <= 100 && name.bytes().all(letters);
    let is_ref = within && name == "$ref";
    if !(is_name || is_ref) {
        let what = "must be a letter and up to 99 letters, digits, `-` and `_`";
        return wrong(&format!("{at}.name"), what.into());
    }
    text(
        &attribute.description,
        0,
        1_000,
        &format!("{at}.description"),
    )?;
    if attribute.mutability == Mutability::ReadOnly {
        let what = "must be readWrite, immutable or writeOnly: nobody could set a readOnly one";
        return wrong(&format!("{at}.mutability"), what.into());
    }
    if within && attribute.mutability == Mutability::Immutable {
        let what = "must not be immutable: say it of the attribute that this is a part of";
        return wrong(&format!("{at}.mutability"), what.into());
    }
    if within && attribute.multi_valued {
        let what = "must be false: a part of a complex attribute has one value";
        return wrong(&format!("{at}.multiValued"), what.into());
    }
    if attribute.returned == Returned::Never
        && (attribute.indexed || attribute.uniqueness == Uniqueness::Server)
    {
        let what = "must not be `never` where the attribute is indexed or unique, because a conflict \
                    or a lookup would tell the value";
        return wrong(&format!("{at}.returned"), what.into());
    }
    if attribute.mutability == Mutability::WriteOnly && attribute.returned != Returned::Never {
        let what = "must be `never` where `mutability` is `writeOnly`";
        return wrong(&format!("{at}.returned"), what.into());
    }
    let is_complex = attribute.kind == Kind::Complex;
    let parts = format!("{at}.subAttributes");
    match (is_complex, within) {
        (true, true) => {
            let what = "must not be complex: a complex attribute has simple parts";
            return wrong(&format!("{at}.type"), what.into());
        }
        (true, false) => attributes(&attribute.sub_attributes, &parts, true)?,
        (false, _) if !attribute.sub_attributes.is_empty() => {
            return wrong(&parts, "are for attributes of type complex alone".into());
        }
        (false, _) => {}
    }
    let has_index = matches!(
        attribute.kind,
        Kind::String | Kind::Reference | Kind::Integer
    ) && !within;
    if attribute.uniqueness == Uniqueness::Server && (!has_index || attribute.multi_valued) {
        let what =
            "can be `server` for a single string, reference or integer at the top of a schema";
        return wrong(&format!("{at}.uniqueness"), what.into());
    }
    if attribute.indexed && !has_index {
        let what = "can be true for strings, references and integers at the top of a schema";
        return wrong(&format!("{at}.indexed"), what.into());
    }
    Ok(())
}

fn text(text: &str, least: usize, most: usize, at: &str) -> Result<(), DeclarationError> {
    let count = text.chars().count();
    if (least..=most).contains(&count) {
        return Ok(());
    }
    wrong(at, format!("must have from {least} to {most} characters"))
}

pub(super) fn wrong<T>(at: &str, what: String) -> Result<T, DeclarationError> {
    let at = at.to_owned();
    Err(DeclarationError { at, what })
}

use super::{
    Patched,
    change::Change,
    operation::{parse_operations, place},
};
use crate::{Error, Limits, Profile, ResourceType, User, keep, reading::Reading, rules};
use serde_json::Value;

/// A PATCH of a user, read and ready to be applied.
#[derive(Debug, Clone)]
pub struct UserPatch {
    changes: Vec<(usize, Change)>,
    reading: Reading,
}

impl UserPatch {
    /// Reads the body of a PATCH.
    ///
    /// # Errors
    ///
    /// 400 with the keyword that RFC 7644 section 3.5.2 gives each case, and the operation's place
    /// in the detail: `invalidSyntax` for the form of the body, `invalidPath` for a path that
    /// names no attribute, `invalidFilter` for what stands in a path's brackets, `mutability` for
    /// a readOnly attribute or the removal of a required one, `noTarget` for `remove` without a
    /// path, `invalidValue` for a value of the wrong type. 413 for more operations than
    /// [`Limits::patch_operations`].
    pub fn parse(body: &Value, profile: Profile, limits: &Limits) -> Result<Self, Error> {
        let shape = profile.shape(ResourceType::User);
        let (mut changes, mut reading) = (Vec::new(), Reading::new(shape));
        let operations = parse_operations(body, shape, limits)?;
        for (index, operation) in operations.into_iter().enumerate() {
            let steps = operation
                .steps(limits, &mut reading)
                .map_err(|error| error.within(&place(index)))?;
            for step in steps {
                let change = step
                    .into_change(&mut reading)
                    .map_err(|error| error.within(&place(index)))?;
                changes.push((index, change));
            }
        }
        Ok(Self { changes, reading })
    }

    /// Applies all operations in their order to a copy of the user, so that a failing one leaves
    /// nothing behind.
    ///
    /// # Errors
    ///
    /// 400 `noTarget` if an operation's value filter selects nothing and does not say what could
    /// be created instead.
    pub fn apply(&self, user: &User) -> Result<Patched<User>, Error> {
        let mut document = user.as_map().clone();
        for (index, change) in &self.changes {
            change
                .apply(&mut document)
                .map_err(|error| error.within(&place(*index)))?;
        }
        keep::apply(&self.reading.kept, &mut document)?;
        User::keep_shut_out(user, &mut document);
        let shape = self.reading.shape;
        rules::keep_immutable(shape, user.as_map(), false, &mut document)?;
        rules::check_required(shape, Some(user.as_map()), &document)?;
        let resource = User::from_stored(document);
        Ok(Patched {
            changed: resource != *user,
            resource,
            ignored: self.reading.ignored.clone(),
        })
    }

    /// The paths of what was left out while reading.
    #[must_use]
    pub fn ignored(&self) -> &[String] {
        &self.reading.ignored
    }
}

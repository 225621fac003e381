//! Tables in a few lines.

/// Declares a [`Table`](crate::Table) whose values are stored as JSON.
///
/// ```
/// use gatewright_store::{Index, OrganizationScope, json_table};
/// use uuid::Uuid;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// pub struct Role {
///     name: String,
/// }
///
/// json_table! {
///     /// Roles, by id.
///     pub struct Roles = 12, "roles", OrganizationScope, Uuid => Role,
///         indexes [&ROLES_BY_NAME];
/// }
///
/// /// The role's name.
/// pub static ROLES_BY_NAME: Index<Roles, String> =
///     Index::unique(1, "name", |_, role| vec![role.name.clone()]);
/// ```
///
/// The parts are the table's id, its name, its scope and its key; `indexes` may be left out. The type
/// only names the table and has no values.
#[macro_export]
macro_rules! json_table {
    (
        $(#[$meta:meta])*
        $visibility:vis struct $table:ident = $id:literal, $name:literal, $scope:ty,
            $key:ty => $value:ty $(, indexes [$($index:expr),* $(,)?])?;
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        $visibility enum $table {}

        impl $crate::Table for $table {
            const ID: u16 = $id;
            const NAME: &'static str = $name;
            type Scope = $scope;
            type Key = $key;
            type Value = $value;
            type Codec = $crate::Json;
            $(const INDEXES: &'static [&'static dyn $crate::AnyIndex<Self>] = &[$($index),*];)?
        }
    };
}

/// Declares a [`Table`](crate::Table) whose values are bytes, stored as they are.
///
/// ```
/// use gatewright_store::{SystemScope, raw_table};
///
/// raw_table! {
///     /// Files, by the SHA-256 digest of their content.
///     pub struct Files = 9, "files", SystemScope, [u8; 32];
/// }
/// ```
///
/// The parts are those of [`json_table!`](crate::json_table) without the value's type.
#[macro_export]
macro_rules! raw_table {
    (
        $(#[$meta:meta])*
        $visibility:vis struct $table:ident = $id:literal, $name:literal, $scope:ty,
            $key:ty $(, indexes [$($index:expr),* $(,)?])?;
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        $visibility enum $table {}

        impl $crate::Table for $table {
            const ID: u16 = $id;
            const NAME: &'static str = $name;
            type Scope = $scope;
            type Key = $key;
            type Value = ::std::vec::Vec<u8>;
            type Codec = $crate::Raw;
            $(const INDEXES: &'static [&'static dyn $crate::AnyIndex<Self>] = &[$($index),*];)?
        }
    };
}

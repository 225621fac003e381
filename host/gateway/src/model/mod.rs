//! What is stored: one file for each subject, each with its records and tables. Records are the
//! disk's types and nothing else: what is shown to a client is built from them in `http`.
//!
//! A table's number is for ever. Numbers below 100 belong to the system scope, the others to
//! organizations.

pub mod access;
pub mod catalogue;
pub mod events;
pub mod facts;
pub mod guard;
pub mod mapping;
pub mod migrations;
pub mod people;
pub mod plans;
pub mod plugins;
pub mod reports;
pub mod requests;
pub mod schemas;
pub mod spread;
pub mod tenancy;

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    /// Two tables of one number would read each other's rows.
    #[test]
    fn no_number_is_given_twice() {
        let files = [
            include_str!("access.rs"),
            include_str!("catalogue.rs"),
            include_str!("events.rs"),
            include_str!("facts.rs"),
            include_str!("guard.rs"),
            include_str!("mapping.rs"),
            include_str!("people.rs"),
            include_str!("plans.rs"),
            include_str!("plugins.rs"),
            include_str!("reports.rs"),
            include_str!("requests.rs"),
            include_str!("schemas.rs"),
            include_str!("spread.rs"),
            include_str!("tenancy.rs"),
        ];
        let mut names: HashMap<u16, &str> = HashMap::new();
        let declared = files
            .iter()
            .flat_map(|file| file.split("pub struct ").skip(1));
        for (name, rest) in declared.filter_map(|text| text.split_once(" = ")) {
            let number = rest.split(',').next().and_then(|text| text.parse().ok());
            if let Some(number) = number.filter(|_| !name.contains(char::is_whitespace)) {
                let other = names.insert(number, name);
                assert_eq!(other, None, "{name} has the number {number}, too");
            }
        }
        assert!(names.len() > 40, "{names:?}");
    }
}

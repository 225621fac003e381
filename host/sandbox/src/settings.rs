//! Checks settings against the schema of the plugin that will take them.
//!
//! Runs in the compiler's process: a schema is a stranger's, and its patterns may be made to take
//! for ever.

use crate::report::ComponentError;
use crate::types::Problem;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

/// Beyond so many problems, more of them help nobody.
const MAX_PROBLEMS: usize = 50;

/// A schema that compiled.
pub(crate) struct Schema(jsonschema::Validator);

impl Schema {
    /// References to other documents are an error, for nothing is fetched.
    pub(crate) fn parse(schema: &Value) -> Result<Self, ComponentError> {
        jsonschema::draft202012::new(schema)
            .map(Self)
            .map_err(|error| ComponentError::Description {
                why: format!("its settings schema is not a JSON Schema: {error}"),
            })
    }

    /// All problems, each at its place, or none.
    pub(crate) fn check(&self, settings: &Value) -> Result<(), ComponentError> {
        if !settings.is_object() {
            return Err(refused(vec![Problem {
                pointer: String::new(),
                message: "settings are a JSON object, `{}` where there are none".to_owned(),
            }]));
        }
        let problems: Vec<Problem> = self
            .0
            .iter_errors(settings)
            .take(MAX_PROBLEMS)
            .map(|error| Problem {
                pointer: error.instance_path().to_string(),
                message: match error.kind() {
                    // In the validator's words it would not be said which: it tells of one value.
                    ValidationErrorKind::FalseSchema => {
                        let place = settings.pointer(error.instance_path().as_str());
                        unknown(place.unwrap_or(settings), error.instance())
                    }
                    _ => error.to_string(),
                },
            })
            .collect();
        match problems.is_empty() {
            true => Ok(()),
            false => Err(refused(problems)),
        }
    }
}

/// What to say of a setting where the schema lets none be.
fn unknown(settings: &Value, found: &Value) -> String {
    let mut named = settings.as_object().into_iter().flatten();
    match named.find(|(_, value)| *value == found) {
        Some((name, _)) => format!("\"{name}\" is not known here: remove it"),
        None => format!("{found} is not allowed here: remove it"),
    }
}

/// The error for the plugin's own objections.
pub(crate) fn refused(mut problems: Vec<Problem>) -> ComponentError {
    problems.truncate(MAX_PROBLEMS);
    ComponentError::Settings { problems }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_problem_is_told_with_its_place() {
        let schema = Schema::parse(&json!({
            "type": "object",
            "properties": {
                "rules": { "type": "array", "items": { "type": "string" } },
                "limit": { "type": "integer", "minimum": 1 },
            },
            "additionalProperties": false,
        }))
        .unwrap();
        assert!(schema.check(&json!({ "limit": 1 })).is_ok());
        let settings = json!({ "rules": ["a", 2], "limit": 0, "lmit": 3 });
        let Err(ComponentError::Settings { problems }) = schema.check(&settings) else {
            panic!("three problems");
        };
        let mut places: Vec<_> = problems.iter().map(|p| p.pointer.as_str()).collect();
        places.sort_unstable();
        assert_eq!(places, ["", "/limit", "/rules/1"]);
    }

    #[test]
    fn where_nothing_can_be_set_the_unknown_setting_is_named() {
        let nothing = json!({ "type": "object", "additionalProperties": false });
        let nested = json!({ "properties": { "a": nothing } });
        for (schema, settings) in [
            (nothing, json!({ "colour": 1 })),
            (nested, json!({ "a": { "colour": 1 } })),
        ] {
            let Err(ComponentError::Settings { problems }) =
                Schema::parse(&schema).unwrap().check(&settings)
            else {
                panic!("one problem");
            };
            assert!(problems[0].message.contains("colour"), "{problems:?}");
        }
    }

    #[test]
    fn nothing_is_fetched_and_only_objects_are_settings() {
        assert!(Schema::parse(&json!({ "$ref": "https://example.com/x.json" })).is_err());
        assert!(Schema::parse(&json!({ "type": 3 })).is_err());
        assert!(
            Schema::parse(&json!({}))
                .unwrap()
                .check(&json!([]))
                .is_err()
        );
    }
}

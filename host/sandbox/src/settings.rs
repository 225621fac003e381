//! Checks settings against the schema of the plugin that will take them.
//!
//! Runs in the compiler's process: a schema is a stranger's, and its patterns may be made to take
//! for ever.

use crate::report::ComponentError;
use crate::types::Problem;
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
                message: error.to_string(),
            })
            .collect();
        match problems.is_empty() {
            true => Ok(()),
            false => Err(refused(problems)),
        }
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

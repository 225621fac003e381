//! Many operations in one request (RFC 7644 section 3.7).

mod circles;
mod read;
mod references;
#[cfg(test)]
mod tests;

use crate::{Error, ResourceType, json::kind_of};
use read::{Members, task};
use references::{REFERENCE, resolve};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};

/// A request for many operations (RFC 7644 section 3.7).
#[derive(Debug, Clone, PartialEq)]
pub struct BulkRequest {
    /// After how many errors the rest is left undone; none: everything is tried.
    pub fail_on_errors: Option<usize>,
    /// The operations, in their order.
    pub operations: Vec<BulkOperation>,
}

/// One operation, or why it is none.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkOperation {
    /// The method as it was sent, in capitals.
    pub method: String,
    /// What other operations call what this one creates.
    pub bulk_id: Option<String>,
    /// The rest.
    pub parsed: Result<BulkTask, Error>,
}

/// What an operation does.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkTask {
    /// How.
    pub method: BulkMethod,
    /// To resources of which type.
    pub resource: ResourceType,
    /// To which of them; none: it creates one.
    pub target: Option<BulkTarget>,
    /// The version that the resource must have.
    pub version: Option<String>,
    data: Option<Value>,
    references: BTreeSet<String>,
}

/// The methods that an operation can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BulkMethod {
    /// It creates something.
    Post,
    /// It replaces something.
    Put,
    /// It changes something.
    Patch,
    /// It deletes something.
    Delete,
}

/// What an operation is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BulkTarget {
    /// The resource with this id.
    Id(String),
    /// What the operation of this `bulkId` creates.
    Created(String),
}

/// What is to be done next, by the place of the operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BulkStep {
    /// Run it, with what is known of its references by then.
    Run(usize),
    /// Replace what it created by the same with all references, since they go round in a circle.
    Complete(usize),
}

impl BulkRequest {
    /// Reads the body. A mistake in one operation is that operation's error.
    ///
    /// # Errors
    ///
    /// 400 `invalidSyntax` for a body that is no such request; 413 for more than `most` operations.
    pub fn parse(body: Value, base_url: &str, most: usize) -> Result<Self, Error> {
        let Value::Object(body) = body else {
            return Err(Error::invalid_syntax(format!(
                "the body must be a JSON object, but is {}",
                kind_of(&body)
            )));
        };
        let mut members = Members(body);
        let fail_on_errors = match members.take("failOnErrors") {
            None => None,
            Some(number) => Some(
                number
                    .as_u64()
                    .and_then(|number| usize::try_from(number).ok())
                    .filter(|number| *number > 0)
                    .ok_or_else(|| {
                        Error::invalid_syntax("`failOnErrors` must be a whole number from 1 on")
                    })?,
            ),
        };
        let Some(Value::Array(operations)) = members.take("Operations") else {
            return Err(Error::invalid_syntax("`Operations` must be an array"));
        };
        if operations.len() > most {
            return Err(Error::too_large(format!(
                "`Operations` has {} elements and may have {most}: send the rest in another request",
                operations.len()
            )));
        }
        let mut operations: Vec<_> = operations
            .into_iter()
            .map(|operation| BulkOperation::parse(operation, base_url))
            .collect();
        check_ids(&mut operations);
        circles::refuse(&mut operations);
        Ok(Self {
            fail_on_errors,
            operations,
        })
    }

    /// The order in which references are known when they are needed: that of the request, but what
    /// an operation refers to comes before it. Of operations that refer to each other in a circle
    /// one runs without its reference and is completed later.
    #[must_use]
    pub fn steps(&self) -> Vec<BulkStep> {
        let creators = self.creators();
        let dependencies: Vec<Vec<usize>> = self
            .operations
            .iter()
            .map(|operation| {
                let named = operation.parsed.iter().flat_map(BulkTask::dependencies);
                named.filter_map(|id| creators.get(id).copied()).collect()
            })
            .collect();
        let mut seen = vec![Seen::Not; self.operations.len()];
        let mut steps = Vec::new();
        for root in 0..self.operations.len() {
            let mut incomplete = Vec::new();
            // Not by recursion: a chain may be as long as the request.
            let mut path = vec![(root, 0)];
            while let Some((at, next)) = path.last_mut() {
                let at = *at;
                if seen[at] == Seen::Done {
                    path.pop();
                    continue;
                }
                seen[at] = Seen::Begun;
                match dependencies[at].get(*next) {
                    Some(on) => {
                        *next += 1;
                        match seen[*on] {
                            Seen::Not => path.push((*on, 0)),
                            Seen::Begun => incomplete.push(at),
                            Seen::Done => {}
                        }
                    }
                    None => {
                        seen[at] = Seen::Done;
                        steps.push(BulkStep::Run(at));
                        path.pop();
                    }
                }
            }
            incomplete.dedup();
            steps.extend(incomplete.into_iter().map(BulkStep::Complete));
        }
        steps
    }

    /// The places of the operations that create something, by `bulkId`.
    fn creators(&self) -> HashMap<&str, usize> {
        creators(&self.operations)
            .map(|(at, id)| (id, at))
            .collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Not,
    Begun,
    Done,
}

impl BulkMethod {
    fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "POST" => Ok(Self::Post),
            "PUT" => Ok(Self::Put),
            "PATCH" => Ok(Self::Patch),
            "DELETE" => Ok(Self::Delete),
            _ => Err(Error::invalid_syntax(
                "`method` must be POST, PUT, PATCH or DELETE",
            )),
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl BulkTask {
    /// The body of the request that this operation stands for, with the ids of what it refers to.
    /// A reference of which `id` knows nothing is left out. None where it has no body.
    #[must_use]
    pub fn body<'a>(&self, id: &dyn Fn(&str) -> Option<&'a str>) -> Option<Value> {
        let mut data = self.data.clone()?;
        resolve(&mut data, false, id);
        Some(data)
    }

    /// The `bulkId`s that it needs to be created before.
    pub fn dependencies(&self) -> impl Iterator<Item = &str> {
        let target = match &self.target {
            Some(BulkTarget::Created(id)) => Some(id.as_str()),
            Some(BulkTarget::Id(_)) | None => None,
        };
        target
            .into_iter()
            .chain(self.references.iter().map(String::as_str))
    }
}

impl BulkOperation {
    fn parse(operation: Value, base_url: &str) -> Self {
        let Value::Object(operation) = operation else {
            return Self {
                method: String::new(),
                bulk_id: None,
                parsed: Err(Error::invalid_syntax("an operation must be a JSON object")),
            };
        };
        let mut members = Members(operation);
        let method = members.text("method").unwrap_or_default().to_uppercase();
        let bulk_id = members.text("bulkId").filter(|id| !id.is_empty());
        let parsed = task(members, &method, bulk_id.as_deref(), base_url);
        Self {
            method,
            bulk_id,
            parsed,
        }
    }

    /// What the answer says of it (RFC 7644 section 3.7.3). `response` is there for errors.
    #[must_use]
    pub fn result(
        &self,
        status: u16,
        location: Option<&str>,
        version: Option<&str>,
        response: Option<Value>,
    ) -> Value {
        let mut result = json!({ "method": self.method });
        let mut say = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                result[name] = value.into();
            }
        };
        say("bulkId", self.bulk_id.as_deref());
        say("version", version);
        say("location", location);
        say("status", Some(&status.to_string()));
        if let Some(response) = response {
            result["response"] = response;
        }
        result
    }
}

/// The body that answers a bulk request.
#[must_use]
pub fn bulk_response(results: Vec<Value>) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkResponse"],
        "Operations": Value::Array(results),
    })
}

/// Refuses operations that give a `bulkId` a second meaning, and those that refer to one without.
fn check_ids(operations: &mut [BulkOperation]) {
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut twice = Vec::new();
    for (at, id) in creators(operations) {
        if known.insert(id.to_owned(), at).is_some() {
            twice.push(at);
        }
    }
    for at in twice {
        operations[at].parsed = Err(Error::invalid_value(
            "`bulkId` is that of an earlier operation: give each its own",
        ));
    }
    for operation in operations {
        let Ok(task) = &operation.parsed else {
            continue;
        };
        let unknown = task.dependencies().find(|id| !known.contains_key(*id));
        if let Some(unknown) = unknown {
            operation.parsed = Err(Error::invalid_value(format!(
                "`{REFERENCE}{unknown}` is not the `bulkId` of a POST of this request"
            )));
        }
    }
}

fn creators(operations: &[BulkOperation]) -> impl Iterator<Item = (usize, &str)> {
    operations.iter().enumerate().filter_map(|(at, operation)| {
        let creates = operation
            .parsed
            .as_ref()
            .is_ok_and(|task| task.target.is_none());
        Some((at, operation.bulk_id.as_deref().filter(|_| creates)?))
    })
}

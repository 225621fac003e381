mod circles;

use crate::{Error, ResourceType, json::kind_of};
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, HashMap};

/// What a reference to what another operation creates begins with (RFC 7644 section 3.7.2).
const REFERENCE: &str = "bulkId:";
/// The members that can hold a reference. Elsewhere the same text is only text.
const HOLDERS: [&str; 3] = ["value", "members", "manager"];

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

/// The members of an object, by their names in any case.
struct Members(Map<String, Value>);

impl Members {
    fn take(&mut self, name: &str) -> Option<Value> {
        let key = self.0.keys().find(|key| key.eq_ignore_ascii_case(name))?;
        let key = key.clone();
        self.0.shift_remove(&key).filter(|value| !value.is_null())
    }

    fn text(&mut self, name: &str) -> Option<String> {
        match self.take(name) {
            Some(Value::String(text)) => Some(text),
            Some(_) | None => None,
        }
    }
}

fn task(
    mut members: Members,
    method: &str,
    bulk_id: Option<&str>,
    base_url: &str,
) -> Result<BulkTask, Error> {
    let path = members
        .text("path")
        .ok_or_else(|| Error::invalid_syntax("`path` is missing: it is like `/Users/ID`"))?;
    let (resource, target) = place(&path, base_url)?;
    let data = members.take("data");
    let method = BulkMethod::parse(method)?;
    if (method == BulkMethod::Post) != target.is_none() {
        return Err(Error::invalid_syntax(format!(
            "{} is not possible on `{path}`",
            method.as_str()
        )));
    }
    if method == BulkMethod::Post && bulk_id.is_none() {
        return Err(Error::invalid_syntax("a POST needs a `bulkId`"));
    }
    let data = data.filter(|_| method != BulkMethod::Delete);
    if method != BulkMethod::Delete && data.is_none() {
        return Err(Error::invalid_syntax(format!(
            "a {} needs `data`",
            method.as_str()
        )));
    }
    let mut references = BTreeSet::new();
    if let Some(data) = &data {
        collect(data, false, &mut references);
    }
    Ok(BulkTask {
        method,
        resource,
        target,
        version: members.text("version"),
        data,
        references,
    })
}

fn place(path: &str, base_url: &str) -> Result<(ResourceType, Option<BulkTarget>), Error> {
    let wrong = || {
        Error::invalid_syntax(format!(
            "`path` must be like `/Users` or `/Groups/ID`, but is `{path}`"
        ))
    };
    let below = path.strip_prefix(base_url).unwrap_or(path);
    let mut segments = below.trim_matches('/').split('/');
    let first = segments.next().unwrap_or_default();
    let resource = ResourceType::ALL
        .into_iter()
        .find(|resource| resource.endpoint().trim_start_matches('/') == first)
        .ok_or_else(wrong)?;
    let id = segments.next().filter(|id| !id.is_empty());
    if segments.next().is_some() || id.is_some_and(|id| id.contains(['?', '#'])) {
        return Err(wrong());
    }
    let target = id.map(|id| match id.strip_prefix(REFERENCE) {
        Some(created) => BulkTarget::Created(created.to_owned()),
        None => BulkTarget::Id(id.to_owned()),
    });
    Ok((resource, target))
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

/// Collects the references in a body.
fn collect(value: &Value, holds: bool, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if holds => {
            found.extend(text.strip_prefix(REFERENCE).map(str::to_owned));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, holds, found)),
        Value::Object(members) => {
            let plain = is_plain(members);
            for (name, value) in members {
                match value {
                    Value::String(text) if is(name, "path") => {
                        found.extend(quoted(text).map(str::to_owned));
                    }
                    Value::String(text) if is(name, "$ref") => {
                        found.extend(at_end(text).map(str::to_owned));
                    }
                    value => collect(value, !plain && holder(name), found),
                }
            }
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Puts ids in the places of references; false for a value that refers to what is not known.
fn resolve<'a>(value: &mut Value, holds: bool, id: &dyn Fn(&str) -> Option<&'a str>) -> bool {
    match value {
        Value::String(text) if holds => match text.strip_prefix(REFERENCE).map(id) {
            Some(Some(id)) => {
                *value = id.into();
                true
            }
            Some(None) => false,
            None => true,
        },
        Value::Array(items) => {
            items.retain_mut(|item| resolve(item, holds, id));
            true
        }
        Value::Object(members) => {
            let plain = is_plain(members);
            members.retain(|name, value| match value {
                Value::String(text) if is(name, "path") => {
                    let named: Vec<String> = quoted(text).map(str::to_owned).collect();
                    for name in named {
                        if let Some(id) = id(&name) {
                            let from = format!("\"{REFERENCE}{name}\"");
                            *text = text.replace(&from, &format!("\"{id}\""));
                        }
                    }
                    true
                }
                Value::String(text) if is(name, "$ref") => match at_end(text) {
                    Some(name) => match id(name) {
                        Some(id) => {
                            let kept = text.len() - name.len() - REFERENCE.len();
                            *text = format!("{}{id}", &text[..kept]);
                            true
                        }
                        None => false,
                    },
                    None => true,
                },
                value => resolve(value, !plain && holder(name), id),
            });
            true
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// The references in the filter of a path: `members[value eq "bulkId:x"]`.
fn quoted(path: &str) -> impl Iterator<Item = &str> {
    path.split('"')
        .skip(1)
        .step_by(2)
        .filter_map(|text| text.strip_prefix(REFERENCE))
}

/// The reference at the end of a URL.
fn at_end(url: &str) -> Option<&str> {
    url.rsplit('/').next()?.strip_prefix(REFERENCE)
}

/// Whether this is an operation of a PATCH whose path leads to an attribute that holds no
/// references.
fn is_plain(members: &Map<String, Value>) -> bool {
    let path = members.iter().find(|(name, _)| is(name, "path"));
    let path = path
        .and_then(|(_, path)| path.as_str())
        .map(str::to_lowercase);
    path.is_some_and(|path| !path.contains("members") && !path.contains("manager"))
}

/// Whether a member can hold a reference, its name being that of an attribute or a path to one.
fn holder(name: &str) -> bool {
    let last = name.rsplit([':', '.']).next().unwrap_or(name);
    HOLDERS.iter().any(|holder| is(last, holder))
}

fn is(name: &str, expected: &str) -> bool {
    name.eq_ignore_ascii_case(expected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScimType;

    const BASE: &str = "https://scim.example/v2";

    #[expect(
        clippy::needless_pass_by_value,
        reason = "a table of values reads better without `&`"
    )]
    fn request(operations: Value) -> BulkRequest {
        BulkRequest::parse(json!({ "Operations": operations }), BASE, 100).unwrap()
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "a table of values reads better without `&`"
    )]
    fn create(bulk_id: &str, data: Value) -> Value {
        json!({ "method": "POST", "path": "/Users", "bulkId": bulk_id, "data": data })
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "a table of values reads better without `&`"
    )]
    fn task(operation: Value) -> Result<BulkTask, Error> {
        request(json!([operation])).operations.remove(0).parsed
    }

    #[test]
    fn what_is_wrong_with_an_operation_is_its_own_error() {
        let check = |operation: Value, part: &str| {
            let error = task(operation.clone()).unwrap_err();
            assert_eq!(error.status, 400);
            assert!(error.detail.contains(part), "{operation}: {error}");
        };
        check(json!(7), "object");
        check(
            json!({ "method": "POST", "bulkId": "a", "data": {} }),
            "path",
        );
        check(
            json!({ "method": "POST", "path": "/Users", "data": {} }),
            "bulkId",
        );
        check(json!({ "method": "PUT", "path": "/Users/1" }), "data");
        check(
            json!({ "method": "PUT", "path": "/Users", "data": {} }),
            "PUT",
        );
        check(
            json!({ "method": "POST", "path": "/Users/1", "bulkId": "a", "data": {} }),
            "POST",
        );
        check(json!({ "method": "GET", "path": "/Users/1" }), "method");
        for path in ["/Schemas", "/Users/1/2", "/Users/1?x=y", "Printers", ""] {
            check(json!({ "method": "DELETE", "path": path }), "path");
        }
        check(
            json!({ "method": "DELETE", "path": "/Users/bulkId:x" }),
            "bulkId:x",
        );
        check(create("a", json!({ "manager": "bulkId:x" })), "bulkId:x");
        let twice = request(json!([create("a", json!({})), create("a", json!({}))]));
        assert!(twice.operations[0].parsed.is_ok());
        let error = twice.operations[1].parsed.as_ref().unwrap_err();
        assert_eq!(error.scim_type, Some(ScimType::InvalidValue));
    }

    #[test]
    fn paths_and_methods_are_read_leniently() {
        for path in [
            "/Users/1",
            "Users/1",
            "https://scim.example/v2/Users/1",
            "/Users/1/",
        ] {
            let parsed = task(json!({ "METHOD": "delete", "Path": path, "version": "W/\"1\"" }));
            let parsed = parsed.unwrap_or_else(|error| panic!("{path}: {error}"));
            assert_eq!(parsed.target, Some(BulkTarget::Id("1".into())));
            assert_eq!(parsed.version.as_deref(), Some("W/\"1\""));
        }
    }

    #[test]
    fn the_envelope_is_checked() {
        let refused = |body: Value, status: u16| {
            let error = BulkRequest::parse(body, BASE, 1).unwrap_err();
            assert_eq!(error.status, status, "{error}");
        };
        refused(json!([]), 400);
        refused(json!({}), 400);
        refused(json!({ "Operations": [], "failOnErrors": 0 }), 400);
        refused(json!({ "Operations": [], "failOnErrors": "1" }), 400);
        refused(json!({ "Operations": [1, 2] }), 413);
        let read = BulkRequest::parse(json!({ "operations": [], "failOnErrors": 2 }), BASE, 1);
        assert_eq!(read.unwrap().fail_on_errors, Some(2));
    }

    #[test]
    fn references_become_ids_wherever_they_may_stand() {
        let data = json!({
            "displayName": "bulkId:a",
            "members": [{ "value": "bulkId:a", "$ref": "/Users/bulkId:a" }, "bulkId:b"],
            "urn:x:2.0:User": { "manager": { "value": "bulkId:b", "$ref": "../Users/bulkId:b" } },
            "urn:x:2.0:User:manager": "bulkId:a",
            "Operations": [
                { "path": "members[value eq \"bulkId:a\" or value eq \"bulkId:b\"]" },
                { "path": "title", "value": "bulkId:a" },
                { "path": "Manager", "value": "bulkId:a" },
            ],
        });
        let all = request(json!([
            create("a", json!({})), create("b", json!({})),
            { "method": "POST", "path": "/Groups", "bulkId": "g", "data": data },
        ]));
        let group = all.operations[2].parsed.as_ref().unwrap();
        assert_eq!(group.dependencies().collect::<Vec<_>>(), ["a", "b"]);
        let body = group.body(&|id| (id == "a").then_some("1"));
        assert_eq!(
            body,
            Some(json!({
                "displayName": "bulkId:a",
                "members": [{ "value": "1", "$ref": "/Users/1" }],
                "urn:x:2.0:User": { "manager": {} },
                "urn:x:2.0:User:manager": "1",
                "Operations": [
                    { "path": "members[value eq \"1\" or value eq \"bulkId:b\"]" },
                    { "path": "title", "value": "bulkId:a" },
                    { "path": "Manager", "value": "1" },
                ],
            }))
        );
    }

    #[test]
    fn what_is_referred_to_comes_first() {
        use BulkStep::{Complete, Run};
        let refer =
            |bulk_id: &str, to: &str| create(bulk_id, json!({ "manager": format!("bulkId:{to}") }));
        let plain = |bulk_id: &str| create(bulk_id, json!({}));
        let steps = |operations: Value| request(operations).steps();
        assert_eq!(steps(json!([plain("a"), plain("b")])), [Run(0), Run(1)]);
        assert_eq!(
            steps(json!([refer("a", "c"), plain("b"), plain("c")])),
            [Run(2), Run(0), Run(1)]
        );
        assert_eq!(
            steps(json!([refer("a", "b"), refer("b", "a"), plain("c")])),
            [Run(1), Run(0), Complete(1), Run(2)]
        );
        assert_eq!(steps(json!([refer("a", "a")])), [Run(0), Complete(0)]);
        assert_eq!(
            steps(json!([{ "method": "DELETE", "path": "/Users/bulkId:a" }, plain("a")])),
            [Run(1), Run(0)]
        );
        let long: Vec<Value> = (0..100)
            .map(|n| refer(&n.to_string(), &((n + 1) % 100).to_string()))
            .collect();
        let long = steps(json!(long));
        assert_eq!(
            (long[0], long[99], long[100], long.len()),
            (Run(99), Run(0), Complete(99), 101)
        );
    }

    #[test]
    fn results_say_what_they_know() {
        let operation = request(json!([create("a", json!({}))]))
            .operations
            .remove(0);
        let done = operation.result(201, Some("l"), Some("v"), None);
        assert_eq!(
            done,
            json!({ "method": "POST", "bulkId": "a", "version": "v", "location": "l", "status": "201" })
        );
        let failed = operation.result(409, None, None, Some(json!({})));
        assert_eq!(
            failed,
            json!({ "method": "POST", "bulkId": "a", "status": "409", "response": {} })
        );
    }
}

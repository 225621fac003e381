//! `POST /Bulk` (RFC 7644 section 3.7): many operations in one request. Each goes through the same
//! functions as a request of its own, provider plugin included, and is atomic by itself.

use super::answer::Answer;
use super::error::Failure;
use super::journal::Notes;
use super::provider::{Passed, Room};
use super::route::{Route, Verb};
use super::{Incoming, dispatch, provider};
use crate::gateway::Gateway;
use crate::http::body::BodyError;
use axum::body::Bytes;
use axum::http::header::{ETAG, IF_MATCH, IF_NONE_MATCH, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use gatewright_scim::{
    BulkMethod, BulkOperation, BulkRequest, BulkStep, BulkTarget, BulkTask, Error as ScimError,
    ResourceType, bulk_response, parse_json,
};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use tracing::warn;

pub(super) fn handle(gateway: &Arc<Gateway>, request: &Incoming) -> Result<Answer, Failure> {
    let body = parse_json(&request.body, &gateway.limits.scim)?;
    let most = gateway.limits.bulk_operations;
    let bulk = BulkRequest::parse(body, &request.base_url, most)?;
    let mut run = Run {
        gateway,
        request,
        operations: &bulk.operations,
        ids: HashMap::new(),
        failed: HashSet::new(),
        done: bulk.operations.iter().map(|_| None).collect(),
        errors: 0,
    };
    let most = bulk.fail_on_errors.unwrap_or(usize::MAX);
    let mut steps = bulk.steps().into_iter();
    for step in steps.by_ref() {
        match step {
            BulkStep::Run(at) => run.run(at),
            BulkStep::Complete(at) => run.complete(at),
        }
        if run.errors >= most {
            break;
        }
    }
    // What lacks a reference that it will not get any more is no success.
    for step in steps {
        if let BulkStep::Complete(at) = step {
            run.complete(at);
        }
    }
    Ok(run.answer())
}

struct Run<'a> {
    gateway: &'a Arc<Gateway>,
    request: &'a Incoming,
    operations: &'a [BulkOperation],
    /// The ids of what was created, by `bulkId`.
    ids: HashMap<&'a str, String>,
    /// Those of which nothing was created.
    failed: HashSet<&'a str>,
    /// What came of each operation; none: it was not tried.
    done: Vec<Option<Answer>>,
    errors: usize,
}

impl<'a> Run<'a> {
    fn run(&mut self, at: usize) {
        let operation = &self.operations[at];
        let answer = match &operation.parsed {
            Ok(task) => self.try_task(task),
            Err(error) => Err(error.clone().into()),
        };
        let answer = answer.unwrap_or_else(answer_of);
        if succeeded(&answer)
            && let (Some(bulk_id), Some(id)) = (&operation.bulk_id, created(&answer))
        {
            self.ids.insert(bulk_id, id);
        }
        self.end(at, answer);
    }

    fn try_task(&self, task: &BulkTask) -> Result<Answer, Failure> {
        self.check_references(task)?;
        let id = match &task.target {
            None => String::new(),
            Some(BulkTarget::Id(id)) => id.clone(),
            Some(BulkTarget::Created(name)) => {
                let id = self.ids.get(name.as_str()).cloned();
                id.ok_or_else(|| unresolved(name))?
            }
        };
        let verb = match task.method {
            BulkMethod::Post => Verb::Create,
            BulkMethod::Put => Verb::Replace(id),
            BulkMethod::Patch => Verb::Patch(id),
            BulkMethod::Delete => Verb::Delete(id),
        };
        let body = task.body(&|name| self.ids.get(name).map(String::as_str));
        self.send(task.resource, verb, task.version.as_deref(), body)
    }

    /// Completes what was created without all of its references, by the same once more; or takes it
    /// back where that cannot be.
    fn complete(&mut self, at: usize) {
        let operation = &self.operations[at];
        let (Ok(task), Some(bulk_id)) = (&operation.parsed, &operation.bulk_id) else {
            return;
        };
        // What failed already, or was not tried, lacks nothing.
        if !self.done[at].as_ref().is_some_and(succeeded) {
            return;
        }
        let Some(id) = self.ids.get(bulk_id.as_str()).cloned() else {
            return;
        };
        let missing = task
            .dependencies()
            .find(|name| !self.ids.contains_key(name));
        let completed = match missing {
            Some(name) => Err(unresolved(name)),
            None => {
                let body = task.body(&|name| self.ids.get(name).map(String::as_str));
                self.send(task.resource, Verb::Replace(id.clone()), None, body)
            }
        };
        let answer = completed.unwrap_or_else(answer_of);
        if succeeded(&answer) {
            // It is still what was created, and has another version.
            if let Some(created) = self.done[at].take() {
                self.done[at] = Some(created.completed_by(&answer));
            }
            return;
        }
        let undone = self.send(task.resource, Verb::Delete(id), None, None);
        if !undone.as_ref().is_ok_and(succeeded) {
            warn!("an operation of a bulk request could not be taken back");
        }
        self.ids.remove(bulk_id.as_str());
        self.end(at, answer);
    }

    /// Refuses what refers to an operation that has failed. What was not tried yet may still come.
    fn check_references(&self, task: &BulkTask) -> Result<(), Failure> {
        match task.dependencies().find(|name| self.failed.contains(name)) {
            Some(name) => Err(unresolved(name)),
            None => Ok(()),
        }
    }

    fn send(
        &self,
        resource: ResourceType,
        verb: Verb,
        version: Option<&str>,
        body: Option<Value>,
    ) -> Result<Answer, Failure> {
        let limits = &self.gateway.limits;
        let (route, limit) = match resource {
            ResourceType::User => (Route::Users(verb), limits.body),
            ResourceType::Group => (Route::Groups(verb), limits.group_body),
        };
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        if body.len() > limit {
            return Err(BodyError::TooLarge(limit).into());
        }
        let mut headers = self.request.headers.clone();
        headers.remove(IF_MATCH);
        headers.remove(IF_NONE_MATCH);
        if let Some(version) = version.and_then(|version| HeaderValue::from_str(version).ok()) {
            headers.insert(IF_MATCH, version);
        }
        let single = Incoming {
            id: self.request.id,
            directory: self.request.directory.clone(),
            walker: self.request.walker,
            route,
            query: Vec::new(),
            headers,
            body: Bytes::from(body),
            base_url: self.request.base_url.clone(),
        };
        // Their repairs are told in the answer; the log has the request as a whole.
        let mut notes = Notes::default();
        match provider::through(self.gateway, single, Room::Held, &mut notes, dispatch)? {
            Passed::Answered(answer) => Ok(answer),
            Passed::Waits(_) => Err(Failure::PluginBusy),
        }
    }

    fn end(&mut self, at: usize, answer: Answer) {
        if !succeeded(&answer) {
            self.errors += 1;
            self.failed.extend(self.operations[at].bulk_id.as_deref());
        }
        self.done[at] = Some(answer);
    }

    fn answer(self) -> Answer {
        let mut results = Vec::new();
        let (mut repaired, mut ignored, mut revision) = (Vec::new(), Vec::new(), None);
        for (at, (operation, answer)) in self.operations.iter().zip(self.done).enumerate() {
            let Some(answer) = answer else {
                continue;
            };
            let within = |what: String| format!("Operations[{at}]: {what}");
            repaired.extend(answer.repaired().map(within));
            ignored.extend(answer.ignored().map(within));
            revision = revision.max(answer.revision());
            results.push(result(
                operation,
                &answer,
                &self.ids,
                &self.request.base_url,
            ));
        }
        let answer = Answer::json(StatusCode::OK, &bulk_response(results))
            .repaired_by(repaired)
            .ignoring(ignored);
        match revision {
            Some(revision) => answer.at_revision(revision),
            None => answer,
        }
    }
}

fn result(
    operation: &BulkOperation,
    answer: &Answer,
    ids: &HashMap<&str, String>,
    base_url: &str,
) -> Value {
    let target = operation.parsed.as_ref().ok().and_then(|task| {
        let id = match task.target.as_ref()? {
            BulkTarget::Id(id) => id,
            BulkTarget::Created(name) => ids.get(name.as_str())?,
        };
        Some(format!("{base_url}{}/{id}", task.resource.endpoint()))
    });
    let location = answer.header(&LOCATION).map(str::to_owned).or(target);
    let response = (!succeeded(answer))
        .then(|| {
            answer
                .body()
                .and_then(|body| serde_json::from_slice(&body).ok())
        })
        .flatten();
    operation.result(
        answer.status(),
        location.as_deref(),
        answer.header(&ETAG),
        response,
    )
}

fn succeeded(answer: &Answer) -> bool {
    (200..300).contains(&answer.status())
}

/// The id in the location of what was created.
fn created(answer: &Answer) -> Option<String> {
    let location = answer.header(&LOCATION)?;
    location.rsplit('/').next().map(str::to_owned)
}

fn unresolved(name: &str) -> Failure {
    let detail = format!(
        "`bulkId:{name}` was not created, so what refers to it is not done: mend that operation, \
         then send both again"
    );
    ScimError::new(409, detail).into()
}

fn answer_of(failure: Failure) -> Answer {
    if let Some(cause) = failure.cause() {
        warn!(error = cause, "an operation of a bulk request failed");
    }
    failure.into_answer()
}

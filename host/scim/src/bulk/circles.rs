//! Groups of one request that would be members of themselves.

use super::references::is;
use super::{BulkOperation, BulkTask, Seen, creators};
use crate::{Error, ResourceType};
use serde_json::Value;
use std::collections::HashMap;

/// Refuses groups that are to be members of each other in a circle: whichever were created first, the
/// last reference could never be written.
pub(super) fn refuse(operations: &mut [BulkOperation]) {
    let is_group = |at: &usize| {
        let parsed = &operations[*at].parsed;
        parsed
            .as_ref()
            .is_ok_and(|task| task.resource == ResourceType::Group)
    };
    let groups: HashMap<&str, usize> = creators(operations)
        .filter(|(at, _)| is_group(at))
        .map(|(at, id)| (id, at))
        .collect();
    let members: HashMap<usize, Vec<usize>> = groups
        .values()
        .map(|at| {
            let named = operations[*at].parsed.iter();
            let named = named.flat_map(BulkTask::dependencies);
            (
                *at,
                named.filter_map(|id| groups.get(id).copied()).collect(),
            )
        })
        .collect();
    let mut seen = vec![Seen::Not; operations.len()];
    let mut circles: Vec<Vec<usize>> = Vec::new();
    let mut of: HashMap<usize, usize> = HashMap::new();
    for root in 0..operations.len() {
        let mut path = vec![(root, 0)];
        while let Some((at, next)) = path.last_mut() {
            let at = *at;
            if seen[at] == Seen::Not {
                seen[at] = Seen::Begun;
            }
            let on = members.get(&at).and_then(|members| members.get(*next));
            *next += 1;
            match on {
                Some(on) if seen[*on] == Seen::Not => path.push((*on, 0)),
                // Each circle has such a step back. Whoever refers to one in it fails with it.
                Some(on) if seen[*on] == Seen::Begun && !of.contains_key(&at) => {
                    let circle = path.iter().map(|(at, _)| *at);
                    let circle: Vec<usize> = circle.skip_while(|at| at != on).collect();
                    for at in &circle {
                        of.entry(*at).or_insert(circles.len());
                    }
                    circles.push(circle);
                }
                Some(_) => {}
                None => {
                    seen[at] = Seen::Done;
                    path.pop();
                }
            }
        }
    }
    let refused: Vec<(usize, Error)> = of
        .iter()
        .map(|(at, circle)| {
            let circle = &circles[*circle];
            let names = circle.iter().chain(circle.first());
            let names = names.map(|at| name(&operations[*at]));
            (*at, Error::circle_of_groups(names))
        })
        .collect();
    for (at, error) in refused {
        operations[at].parsed = Err(error);
    }
}

/// What it creates is called, for people to read.
fn name(operation: &BulkOperation) -> String {
    let data = operation
        .parsed
        .as_ref()
        .ok()
        .and_then(|task| task.data.as_ref());
    let named = data.and_then(Value::as_object).and_then(|data| {
        let found = data.iter().find(|(name, _)| is(name, "displayName"))?;
        found.1.as_str()
    });
    let name = named.or(operation.bulk_id.as_deref());
    name.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use crate::BulkRequest;
    use serde_json::{Value, json};

    #[test]
    fn groups_that_are_to_be_in_each_other_are_refused_by_name() {
        let group = |id: &str, members: &[&str]| {
            let members = members
                .iter()
                .map(|id| json!({ "value": format!("bulkId:{id}") }));
            let members: Vec<Value> = members.collect();
            json!({ "method": "POST", "path": "/Groups", "bulkId": id, "data": {
                "DisplayName": id.to_uppercase(), "members": members
            }})
        };
        let refused = |operations: Value| -> Vec<Option<String>> {
            let body = json!({ "Operations": operations });
            let operations = BulkRequest::parse(body, "https://scim.example/v2", 100);
            let operations = operations.unwrap().operations;
            let refused = operations.into_iter().map(|one| one.parsed.err());
            refused
                .map(|error| error.map(|error| error.detail))
                .collect()
        };
        let all = refused(json!([
            group("a", &["b"]),
            group("b", &["c", "d"]),
            group("c", &["a"]),
            group("d", &[]),
            group("e", &["a", "e"]),
            group("f", &["d", "a"]),
        ]));
        for at in [0, 1, 2] {
            let told = all[at].as_deref().unwrap();
            let path = r#""A" has the member "B" has the member "C" has the member "A""#;
            assert!(told.contains(path), "{told}");
        }
        assert!(
            all[4]
                .as_deref()
                .unwrap()
                .contains(r#""E" has the member "E""#)
        );
        // What refers to one of them is refused with it, when it is its turn.
        assert_eq!((&all[3], &all[5]), (&None, &None));
        let user = |id: &str, data: Value| json!({ "method": "POST", "path": "/Users", "bulkId": id, "data": data });
        let managers = json!([
            user("a", json!({ "manager": "bulkId:b" })),
            user("b", json!({ "manager": "bulkId:a" })),
        ]);
        assert_eq!(refused(managers), [None, None]);
    }
}

//! Changes of multi-valued attributes.

use super::{
    change::{Action, merge},
    target::Target,
};
use crate::{
    Error,
    filter::{Expression, same},
    json::is_clear,
    reading::{check_count, is_hollow, settle},
    schema::Attribute,
};
use serde_json::{Map, Value};

/// Makes one change of the elements of one attribute. `value` is what the change gives, already
/// read: the sub-attribute's value, one element, or a list of elements; null for none.
pub(super) fn apply(
    action: Action,
    target: &Target,
    value: &Value,
    strict: bool,
    list: &mut Vec<Value>,
) -> Result<(), Error> {
    let attribute = target.path.attribute;
    let touched = match (&target.filter, target.path.sub) {
        (None, None) => whole(action, attribute, value, list),
        _ => selected(action, target, value, strict, list)?,
    };
    one_primary(list, &touched);
    check_count(attribute, list.len())
}

/// Leaves at most one element primary (RFC 7643 section 2.4): the first of those just written that
/// says so, else the first at all.
fn one_primary(list: &mut [Value], touched: &[usize]) {
    let is_primary = |list: &[Value], index: usize| {
        list.get(index).and_then(|element| element.get("primary")) == Some(&Value::Bool(true))
    };
    let winner = touched
        .iter()
        .copied()
        .chain(0..list.len())
        .find(|index| is_primary(list, *index));
    for index in 0..list.len() {
        if Some(index) != winner
            && is_primary(list, index)
            && let Some(primary) = list
                .get_mut(index)
                .and_then(|element| element.get_mut("primary"))
        {
            *primary = Value::Bool(false);
        }
    }
}

/// A change of the attribute as a whole. Returns the places of the elements that were written.
fn whole(
    action: Action,
    attribute: &'static Attribute,
    value: &Value,
    list: &mut Vec<Value>,
) -> Vec<usize> {
    let given = value.as_array().map_or(&[] as &[Value], Vec::as_slice);
    match action {
        Action::Add => given
            .iter()
            .filter_map(|element| Some(add(attribute, settle(element.clone())?, list)))
            .collect(),
        Action::Replace => {
            list.clear();
            for element in given {
                if let Some(element) = settle(element.clone()) {
                    list.push(element);
                }
            }
            Vec::new()
        }
        Action::Remove if value.is_null() => {
            list.clear();
            Vec::new()
        }
        Action::Remove => {
            list.retain(|element| !given.iter().any(|named| names(attribute, named, element)));
            Vec::new()
        }
    }
}

/// Adds an element; one that is there already, by its value and type, is completed instead.
fn add(attribute: &'static Attribute, element: Value, list: &mut Vec<Value>) -> usize {
    let existing = list.iter().position(|existing| {
        existing == &element
            || (element.get("value").is_some()
                && ["value", "type"].into_iter().all(|name| {
                    let sub = attribute.sub_attribute(name);
                    match (sub, existing.get(name), element.get(name)) {
                        (Some(sub), Some(a), Some(b)) => same(sub, a, b),
                        (_, a, b) => a == b,
                    }
                }))
    });
    let Some(index) = existing else {
        list.push(element);
        return list.len() - 1;
    };
    if let (Some(Value::Object(existing)), Value::Object(given)) = (list.get_mut(index), &element) {
        merge(existing, given);
    }
    index
}

/// Whether a removal's value names an element: by its `value`, else by all that is given.
fn names(attribute: &'static Attribute, named: &Value, element: &Value) -> bool {
    let Some(given) = named.as_object() else {
        return named == element;
    };
    let agrees = |(name, value): (&String, &Value)| {
        let sub = attribute.sub_attribute(name);
        match (sub, element.get(name)) {
            (Some(sub), Some(found)) => same(sub, value, found),
            _ => value.is_null(),
        }
    };
    match given.get_key_value("value") {
        Some(value) => agrees(value),
        None => !given.is_empty() && given.iter().all(agrees),
    }
}

/// A change of the elements that a filter selects, or of one sub-attribute of all elements.
fn selected(
    action: Action,
    target: &Target,
    value: &Value,
    strict: bool,
    list: &mut Vec<Value>,
) -> Result<Vec<usize>, Error> {
    let places: Vec<usize> = list
        .iter()
        .enumerate()
        .filter(|(_, element)| {
            target
                .filter
                .as_ref()
                .is_none_or(|filter| filter.matches(element))
        })
        .map(|(index, _)| index)
        .collect();
    let given = match (target.path.sub, value) {
        (Some(sub), value) => Map::from_iter([(sub.name.into(), value.clone())]),
        (None, Value::Object(given)) => given.clone(),
        (None, _) => Map::new(),
    };
    if strict && places.is_empty() && target.filter.is_some() && action != Action::Remove {
        return Err(Error::no_target(format!("`{target}` selects no value")));
    }
    let clears = action == Action::Remove || value.is_null();
    if clears {
        return Ok(clear(target, &places, list));
    }
    if places.is_empty() {
        let element = created(target, given)?;
        let Some(element) = settle(element) else {
            return Ok(Vec::new());
        };
        list.push(element);
        return Ok(vec![list.len() - 1]);
    }
    let replaces_element = action == Action::Replace && target.path.sub.is_none();
    for index in &places {
        let Some(Value::Object(element)) = list.get_mut(*index) else {
            continue;
        };
        if replaces_element {
            let kept = equalities(target.filter.as_ref(), &given).unwrap_or_default();
            element.clear();
            element.extend(kept);
        }
        merge(element, &given);
    }
    Ok(places)
}

/// Removes the selected elements, or one sub-attribute of each; an element that is left without
/// anything but its type goes with it.
fn clear(target: &Target, places: &[usize], list: &mut Vec<Value>) -> Vec<usize> {
    for index in places.iter().rev() {
        let empty = match (target.path.sub, list.get_mut(*index)) {
            (Some(sub), Some(Value::Object(element))) => {
                element.shift_remove(sub.name).is_some() && is_hollow(element)
            }
            _ => true,
        };
        if empty {
            list.remove(*index);
        }
    }
    Vec::new()
}

/// The element that is made because the filter selects none (T6). RFC 7644 section 3.5.2.3 would
/// refuse; Entra relies on it for every value that a user did not have before.
fn created(target: &Target, given: Map<String, Value>) -> Result<Value, Error> {
    let Some(mut element) = equalities(target.filter.as_ref(), &given) else {
        return Err(Error::no_target(format!(
            "`{target}` selects no value, and its filter does not say what a new one would be: \
             only `eq` joined by `and` does"
        )));
    };
    element.extend(given);
    Ok(Value::Object(element))
}

/// What an element that fulfils the filter must have, if the filter says nothing else and does not
/// contradict what is given.
fn equalities(
    filter: Option<&Expression>,
    given: &Map<String, Value>,
) -> Option<Map<String, Value>> {
    let terms = match filter {
        None => return Some(Map::new()),
        Some(Expression::And(terms)) => terms.as_slice(),
        Some(single) => std::slice::from_ref(single),
    };
    let mut known = Map::new();
    for term in terms {
        let Expression::Compare(comparison) = term else {
            return None;
        };
        let sub = comparison.path().attribute;
        let contradicts = |values: &Map<String, Value>| {
            values
                .get(sub.name)
                .is_some_and(|value| !same(sub, value, comparison.value()))
        };
        // What is empty is not stored, so an element made of it would never be found again.
        let is_empty = is_clear(comparison.value());
        if !comparison.is_equality() || is_empty || contradicts(given) || contradicts(&known) {
            return None;
        }
        known.insert(sub.name.into(), comparison.value().clone());
    }
    Some(known)
}

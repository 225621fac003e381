//! What is wrong with a condition that can be read.

use crate::functions;
use crate::names::{Kind, SIGNAL, Variable, field, field_of_user, key_of_user};
use crate::{MAX_DEPTH, MAX_LOOPS};
use cel::IdedExpr;
use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue, SelectExpr, operators,
};

/// What is wrong, and with which node.
#[derive(Debug)]
pub(crate) struct Mistake {
    pub(crate) node: u64,
    /// What is wrong stands behind the node's own token: the field behind a dot.
    pub(crate) behind: bool,
    pub(crate) message: String,
}

/// Checks names, calls and nesting, and that the whole may be true or false.
pub(crate) fn check(condition: &IdedExpr, variables: &[Variable]) -> Result<(), Mistake> {
    let mut walk = Walk {
        variables,
        local: Vec::new(),
        loops: 0,
    };
    walk.node(condition, 0)?;
    match is_never_a_truth(&condition.expr) {
        true => Err(mistake(
            condition,
            "is not true or false: compare it with something",
        )),
        false => Ok(()),
    }
}

struct Walk<'e> {
    variables: &'e [Variable],
    /// The names that the loops around a node give to elements.
    local: Vec<(&'e str, Kind)>,
    loops: usize,
}

impl<'e> Walk<'e> {
    /// What the node's value is.
    fn node(&mut self, node: &'e IdedExpr, depth: usize) -> Result<Kind, Mistake> {
        if depth > MAX_DEPTH {
            return Err(mistake(node, too_deep()));
        }
        let depth = depth + 1;
        match &node.expr {
            Expr::Literal(_) => Ok(Kind::Value),
            Expr::Ident(name) => self.variable(node, name),
            Expr::Select(select) => self.select(node, select, depth),
            Expr::Call(call) => self.call(node, call, depth),
            Expr::Comprehension(each) => self.comprehension(node, each, depth),
            Expr::List(list) => {
                for element in &list.elements {
                    self.node(element, depth)?;
                }
                Ok(Kind::Value)
            }
            Expr::Map(map) => {
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        self.node(&entry.key, depth)?;
                        self.node(&entry.value, depth)?;
                    }
                }
                Ok(Kind::Value)
            }
            Expr::Struct(made) => {
                let message = format!("\"{}\" is no type that can be made here", made.type_name);
                Err(mistake(node, message))
            }
            Expr::Unspecified => Err(mistake(node, "cannot be read")),
        }
    }

    fn variable(&self, node: &IdedExpr, name: &str) -> Result<Kind, Mistake> {
        // What a macro keeps its result in; nobody can write such a name.
        if name.starts_with('@') {
            return Ok(Kind::Value);
        }
        let all = self.local.iter().rev().chain(self.variables);
        let known = all.clone().find(|(known, _)| *known == name);
        known.map(|(_, kind)| *kind).ok_or_else(|| {
            let names: Vec<&str> = all.map(|(known, _)| *known).collect();
            let names = names.join(", ");
            let message = match name {
                "now" => "a condition does not know the time: say account_younger_than or \
                          account_older_than beside it"
                    .to_owned(),
                _ => format!("\"{name}\" is not known: there are {names}"),
            };
            mistake(node, message)
        })
    }

    /// `value.field` and `has(value.field)`.
    fn select(
        &mut self,
        node: &IdedExpr,
        select: &'e SelectExpr,
        depth: usize,
    ) -> Result<Kind, Mistake> {
        let of = self.node(&select.operand, depth)?;
        let name = &select.field;
        let found = match of {
            Kind::User => field_of_user(name),
            Kind::Part(known) => field("it", known, name),
            Kind::Record(known) => field("it", known, name),
            Kind::Users | Kind::Signals => Err(format!(
                "it is a list: ask for \"{name}\" of one element, such as with exists(x, x.{name} \
                 == ...)"
            )),
            Kind::Value => Ok(Kind::Value),
        };
        found.map_err(|message| Mistake {
            behind: true,
            ..mistake(node, message)
        })
    }

    fn call(&mut self, node: &IdedExpr, call: &'e CallExpr, depth: usize) -> Result<Kind, Mistake> {
        let name = call.func_name.as_str();
        let is_operator = call.target.is_none() && OPERATORS.contains(&name);
        if !is_operator && !functions::is_known(name, call.target.is_some(), call.args.len()) {
            let there_are = functions::THERE_ARE;
            let message = format!("no function {name} is called like this: there are {there_are}");
            return Err(mistake(node, message));
        }
        let mut first = None;
        for argument in call.target.as_deref().into_iter().chain(&call.args) {
            let kind = self.node(argument, depth)?;
            first.get_or_insert(kind);
        }
        match (name, first, call.args.as_slice()) {
            (operators::INDEX, Some(of), [_, key]) => index(of, key),
            _ => Ok(Kind::Value),
        }
    }

    /// `list.all(name, ...)` and the like.
    fn comprehension(
        &mut self,
        node: &IdedExpr,
        each: &'e ComprehensionExpr,
        depth: usize,
    ) -> Result<Kind, Mistake> {
        let element = match self.node(&each.iter_range, depth)? {
            Kind::Users => Kind::User,
            Kind::Signals => Kind::Record(&SIGNAL),
            Kind::User | Kind::Part(_) | Kind::Record(_) => {
                let message = "it is no list that could be gone through";
                return Err(mistake(&each.iter_range, message));
            }
            Kind::Value => Kind::Value,
        };
        if self
            .variables
            .iter()
            .any(|(known, _)| *known == each.iter_var)
        {
            let message = format!(
                "\"{}\" is known as something else: name the element otherwise",
                each.iter_var
            );
            return Err(mistake(node, message));
        }
        if self.loops == MAX_LOOPS {
            let message = format!("at most {MAX_LOOPS} of all, exists, map and the like may nest");
            return Err(mistake(node, message));
        }
        self.node(&each.accu_init, depth)?;
        self.loops += 1;
        self.local.push((&each.iter_var, element));
        for part in [&each.loop_cond, &each.loop_step, &each.result] {
            self.node(part, depth)?;
        }
        self.local.pop();
        self.loops -= 1;
        Ok(Kind::Value)
    }
}

/// `value[key]`.
fn index(of: Kind, key: &IdedExpr) -> Result<Kind, Mistake> {
    let name = match &key.expr {
        Expr::Literal(LiteralValue::String(name)) => Some(name.inner()),
        Expr::Literal(_) if matches!(of, Kind::User | Kind::Part(_) | Kind::Record(_)) => {
            return Err(mistake(key, "it is reached by a name in quotes"));
        }
        _ => None,
    };
    let found = match (of, name) {
        (Kind::User, Some(name)) => key_of_user(name),
        (Kind::Part(known) | Kind::Record(known), Some(name)) => field("it", known, name),
        (Kind::Users, _) => Ok(Kind::User),
        (Kind::Signals, _) => Ok(Kind::Record(&SIGNAL)),
        (Kind::User | Kind::Part(_) | Kind::Record(_), None) | (Kind::Value, _) => Ok(Kind::Value),
    };
    found.map_err(|message| mistake(key, message))
}

/// Whether no value of this form is true or false, whoever it is asked about.
fn is_never_a_truth(condition: &Expr) -> bool {
    match condition {
        Expr::Literal(literal) => !matches!(literal, LiteralValue::Boolean(_)),
        Expr::List(_) | Expr::Map(_) => true,
        Expr::Call(call) => {
            NUMBERS.contains(&call.func_name.as_str())
                || matches!(call.func_name.as_str(), "size" | "lowerAscii")
        }
        // `filter` and `map` begin with an empty list.
        Expr::Comprehension(each) => matches!(each.accu_init.expr, Expr::List(_)),
        Expr::Ident(name) => name != "true" && name != "false",
        Expr::Select(_) | Expr::Struct(_) | Expr::Unspecified => false,
    }
}

const NUMBERS: [&str; 6] = [
    operators::ADD,
    operators::SUBSTRACT,
    operators::MULTIPLY,
    operators::DIVIDE,
    operators::MODULO,
    operators::NEGATE,
];

const OPERATORS: [&str; 19] = [
    operators::CONDITIONAL,
    operators::LOGICAL_AND,
    operators::LOGICAL_OR,
    operators::LOGICAL_NOT,
    operators::ADD,
    operators::SUBSTRACT,
    operators::MULTIPLY,
    operators::DIVIDE,
    operators::MODULO,
    operators::NEGATE,
    operators::EQUALS,
    operators::NOT_EQUALS,
    operators::GREATER,
    operators::GREATER_EQUALS,
    operators::LESS,
    operators::LESS_EQUALS,
    operators::IN,
    operators::INDEX,
    operators::NOT_STRICTLY_FALSE,
];

pub(crate) fn too_deep() -> String {
    format!("nests too deeply: {MAX_DEPTH} levels are allowed")
}

fn mistake(node: &IdedExpr, message: impl Into<String>) -> Mistake {
    Mistake {
        node: node.id,
        behind: false,
        message: message.into(),
    }
}

use super::{Comparison, Expression, Literal, Operator};
use crate::{
    Error, Limits, Shape,
    path::{AttributePath, Named, resolve},
    schema::{Attribute, Kind},
};

/// Whose attributes a name can be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scope {
    Resource(Shape),
    /// Sub-attributes of one multi-valued attribute, within brackets.
    Element(AttributePath),
}

/// Reads a filter from left to right; `at` is the byte where it stands. Also reads the bracketed
/// part of a PATCH path.
pub(crate) struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    depth_left: usize,
    terms: usize,
    terms_left: usize,
    strict: bool,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(text: &'a str, shape: Shape, limits: &Limits) -> Self {
        Self {
            text,
            strict: shape.profile.strict,
            at: 0,
            depth: limits.filter_depth,
            depth_left: limits.filter_depth,
            terms: limits.filter_terms,
            terms_left: limits.filter_terms,
        }
    }

    /// An expression: terms joined by `or`, which bind less than those joined by `and`.
    pub(crate) fn expression(&mut self, scope: Scope) -> Result<Expression, Error> {
        let mut alternatives = vec![self.conjunction(scope)?];
        while self.keyword("or") {
            alternatives.push(self.conjunction(scope)?);
        }
        Ok(Expression::or(alternatives))
    }

    /// Checks that nothing is left.
    pub(crate) fn end(&mut self) -> Result<(), Error> {
        self.skip_space();
        if self.rest().is_empty() {
            Ok(())
        } else {
            Err(self.expected("`and`, `or` or the end"))
        }
    }

    /// A name: everything up to a space, bracket, parenthesis or quote.
    pub(crate) fn name(&mut self) -> &'a str {
        self.take_while(|c| !c.is_whitespace() && !"()[]\"".contains(c))
    }

    /// `[filter]` after a multi-valued attribute, if it stands here.
    pub(crate) fn brackets(&mut self, path: AttributePath) -> Result<Option<Expression>, Error> {
        if !self.symbol('[') {
            return Ok(None);
        }
        let inner = self.nested(|parser| parser.expression(Scope::Element(path)))?;
        self.skip_space();
        if self.symbol(']') {
            Ok(Some(inner))
        } else {
            Err(self.expected("`and`, `or` or `]`"))
        }
    }

    /// `.name` after brackets, if it stands here.
    pub(crate) fn sub_attribute(
        &mut self,
        attribute: &'static Attribute,
    ) -> Result<Option<&'static Attribute>, Error> {
        if !self.symbol('.') {
            return Ok(None);
        }
        let start = self.at;
        let name = self.name();
        match attribute.sub_attribute(name) {
            Some(sub) => Ok(Some(sub)),
            None => Err(self.fault(
                start,
                &format!("`{}` has no sub-attribute `{name}`", attribute.name),
            )),
        }
    }

    fn conjunction(&mut self, scope: Scope) -> Result<Expression, Error> {
        let mut terms = vec![self.term(scope)?];
        while self.keyword("and") {
            terms.push(self.term(scope)?);
        }
        Ok(Expression::and(terms))
    }

    fn term(&mut self, scope: Scope) -> Result<Expression, Error> {
        let negated = self.keyword("not");
        self.skip_space();
        if self.symbol('(') {
            let inner = self.nested(|parser| parser.expression(scope))?;
            self.skip_space();
            if !self.symbol(')') {
                return Err(self.expected("`and`, `or` or `)`"));
            }
            return Ok(if negated {
                Expression::Not(Box::new(inner))
            } else {
                inner
            });
        }
        if negated {
            return Err(self.expected("`(` after `not`"));
        }
        self.comparison(scope)
    }

    fn comparison(&mut self, scope: Scope) -> Result<Expression, Error> {
        let start = self.at;
        let name = self.name();
        if name.is_empty() {
            return Err(self.expected("an attribute, `not` or `(`"));
        }
        let path = self.attribute(name, start, scope)?;
        let Scope::Resource(_) = scope else {
            return self.relation(path, scope, start);
        };
        if !self.rest().starts_with('[') {
            return self.relation(path, scope, start);
        }
        if path.leaf().kind != Kind::Complex {
            return Err(self.fault(
                self.at,
                &format!("`{path}` is not complex, so no `[` can follow"),
            ));
        }
        let Some(inner) = self.brackets(path)? else {
            return self.relation(path, scope, start);
        };
        let inner = match self.sub_attribute(path.attribute)? {
            Some(sub) if self.strict => {
                let what = format!("`.{}` cannot follow `]` in a filter", sub.name);
                return Err(self.fault(start, &what));
            }
            // What is asked of the sub-attribute is asked of the same element.
            Some(sub) => {
                let relative = AttributePath {
                    schema: None,
                    attribute: sub,
                    sub: None,
                };
                let relation = self.relation(relative, Scope::Element(path), start)?;
                Expression::and(vec![inner, relation])
            }
            None => inner,
        };
        Ok(Expression::Element {
            path,
            inner: Box::new(inner),
        })
    }

    /// The operator and value after an attribute.
    fn relation(
        &mut self,
        mut path: AttributePath,
        scope: Scope,
        start: usize,
    ) -> Result<Expression, Error> {
        let Some(left) = self.terms_left.checked_sub(1) else {
            let what = format!("the filter has more than {} comparisons", self.terms);
            return Err(self.fault(start, &what));
        };
        self.terms_left = left;
        self.skip_space();
        let operator_at = self.at;
        let word = self.name();
        if word.eq_ignore_ascii_case("pr") {
            return Ok(Expression::Present(path));
        }
        let Some(operator) = Operator::ALL
            .into_iter()
            .find(|operator| operator.as_str().eq_ignore_ascii_case(word))
        else {
            self.at = operator_at;
            return Err(self.expected("an operator (eq, ne, co, sw, ew, gt, ge, lt, le or pr)"));
        };
        if path.leaf().kind == Kind::Complex {
            path.sub = path.attribute.sub_attribute("value");
            if path.sub.is_none() {
                return Err(self.fault(
                    start,
                    &format!("`{path}` is complex; compare one of its sub-attributes"),
                ));
            }
        }
        self.check_shown(&path, start)?;
        let full_name = match scope {
            Scope::Resource(_) => path.to_string(),
            Scope::Element(element) => format!("{element}.{path}"),
        };
        self.skip_space();
        let value_at = self.at;
        let literal = self.literal()?;
        if self.strict && !literal.is_grammatical(path.leaf()) {
            return Err(self.fault(
                value_at,
                "text stands in double quotes; numbers, true, false and null stand without",
            ));
        }
        Comparison::new(path, full_name, operator, literal)
            .map(|comparison| Expression::Compare(Box::new(comparison)))
            .map_err(|wrong| self.fault(value_at, &wrong))
    }

    fn attribute(&self, name: &str, start: usize, scope: Scope) -> Result<AttributePath, Error> {
        let (found, owner) = match scope {
            Scope::Resource(shape) => {
                let found = match resolve(name, shape) {
                    Some(Named::Attribute(path)) => Some(path),
                    Some(Named::Schema(_)) | None => None,
                };
                (found, format!("a {}", shape.resource().name()))
            }
            Scope::Element(element) => {
                let found = element.attribute.sub_attribute(name);
                let found = found.map(|attribute| AttributePath {
                    schema: None,
                    attribute,
                    sub: None,
                });
                (found, format!("`{element}`"))
            }
        };
        let path = found
            .ok_or_else(|| self.fault(start, &format!("{owner} has no attribute `{name}`")))?;
        self.check_shown(&path, start)?;
        Ok(path)
    }

    fn check_shown(&self, path: &AttributePath, start: usize) -> Result<(), Error> {
        if path.is_secret() {
            let what = format!("`{path}` is never returned, so no filter can ask for it");
            return Err(self.fault(start, &what));
        }
        Ok(())
    }

    fn literal(&mut self) -> Result<Literal, Error> {
        if self.rest().starts_with('"') {
            return self.quoted();
        }
        let start = self.at;
        let text = self.take_while(|c| !c.is_whitespace() && !")]".contains(c));
        if text.is_empty() {
            return Err(self.expected("a value"));
        }
        // A quote of the wrong kind would otherwise become part of the value, and match nobody.
        if text.contains('"') || text.starts_with(['\'', '\u{201c}', '\u{201d}']) {
            return Err(self.fault(start, "a value in double quotes (\") is expected"));
        }
        Ok(Literal::Bare(text.to_owned()))
    }

    fn quoted(&mut self) -> Result<Literal, Error> {
        let start = self.at;
        let mut escaped = false;
        let length = self.rest().char_indices().skip(1).find_map(|(index, c)| {
            let closes = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closes.then_some(index + 1)
        });
        let Some(length) = length else {
            return Err(self.fault(start, "the quote that begins here does not end"));
        };
        let Some(token) = self.rest().get(..length) else {
            return Err(self.expected("a value"));
        };
        let text = serde_json::from_str(token).map_err(|_| {
            self.fault(
                start,
                "the text that begins here is not a valid JSON string",
            )
        })?;
        self.at += length;
        Ok(Literal::Quoted(text))
    }

    /// Goes one level deeper, if the limit lets it.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        let Some(left) = self.depth_left.checked_sub(1) else {
            let what = format!(
                "the filter is nested too deep, more than {} levels",
                self.depth
            );
            return Err(self.fault(self.at, &what));
        };
        self.depth_left = left;
        let result = read(self)?;
        self.depth_left += 1;
        Ok(result)
    }

    /// Takes a word in any case, if it stands next.
    fn keyword(&mut self, keyword: &str) -> bool {
        let before = self.at;
        self.skip_space();
        if self.name().eq_ignore_ascii_case(keyword) {
            true
        } else {
            self.at = before;
            false
        }
    }

    fn symbol(&mut self, symbol: char) -> bool {
        let found = self.rest().starts_with(symbol);
        if found {
            self.at += symbol.len_utf8();
        }
        found
    }

    fn skip_space(&mut self) {
        self.take_while(char::is_whitespace);
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        let (taken, _) = rest.split_at(length);
        self.at += length;
        taken
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn expected(&self, what: &str) -> Error {
        let found = match self.rest().chars().next() {
            Some(c) => format!("found `{c}`"),
            None => "the text ends".to_owned(),
        };
        self.fault(self.at, &format!("expected {what}, but {found}"))
    }

    fn fault(&self, at: usize, what: &str) -> Error {
        let before = self.text.get(..at).unwrap_or(self.text);
        let position = before.chars().count() + 1;
        Error::invalid_filter(format!("filter, character {position}: {what}"))
    }
}

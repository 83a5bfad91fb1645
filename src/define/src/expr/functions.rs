//! Functions: their names, forms and types.

use std::ops::Range;

use jiff::tz::TimeZone;
use regex::RegexBuilder;

use super::check::{Checker, with_article};
use super::foreign;
use super::syntax::{Syntax, SyntaxKind};
use super::typed::{Kind, Node, TextTest, TimePart};
use propice_model::nearest::nearest;
use propice_model::{Type, Value, limits, time};

/// How a function is called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CallForm {
    /// `f(x)`
    Plain,
    /// `x.f()`
    Method,
    /// Both.
    Either,
}

/// Every function: its name, its form, how it is written, its least and its most arguments (with
/// what stands before the point).
const FUNCTIONS: [(&str, CallForm, &str, usize, usize); 25] = [
    ("has", CallForm::Plain, "has(x)", 1, 1),
    ("size", CallForm::Either, "size(x)", 1, 1),
    ("startsWith", CallForm::Method, "x.startsWith(y)", 2, 2),
    ("endsWith", CallForm::Method, "x.endsWith(y)", 2, 2),
    ("contains", CallForm::Method, "x.contains(y)", 2, 2),
    ("matches", CallForm::Either, "x.matches('regex')", 2, 2),
    ("abs", CallForm::Plain, "abs(x)", 1, 1),
    ("min", CallForm::Plain, "min(x, y)", 2, 2),
    ("max", CallForm::Plain, "max(x, y)", 2, 2),
    ("coalesce", CallForm::Plain, "coalesce(x, y)", 2, 2),
    ("int", CallForm::Plain, "int(x)", 1, 1),
    ("double", CallForm::Plain, "double(x)", 1, 1),
    ("string", CallForm::Plain, "string(x)", 1, 1),
    ("duration", CallForm::Plain, "duration('48h')", 1, 1),
    ("timestamp", CallForm::Plain, "timestamp('2026-03-02T09:00:00Z')", 1, 1),
    ("getFullYear", CallForm::Method, "x.getFullYear()", 1, 2),
    ("getMonth", CallForm::Method, "x.getMonth()", 1, 2),
    ("getDayOfMonth", CallForm::Method, "x.getDayOfMonth()", 1, 2),
    ("getDate", CallForm::Method, "x.getDate()", 1, 2),
    ("getDayOfWeek", CallForm::Method, "x.getDayOfWeek()", 1, 2),
    ("getDayOfYear", CallForm::Method, "x.getDayOfYear()", 1, 2),
    ("getHours", CallForm::Method, "x.getHours()", 1, 2),
    ("getMinutes", CallForm::Method, "x.getMinutes()", 1, 2),
    ("getSeconds", CallForm::Method, "x.getSeconds()", 1, 2),
    ("getMilliseconds", CallForm::Method, "x.getMilliseconds()", 1, 2),
];

/// The size that a compiled pattern may have, in bytes.
const PATTERN_BYTES: usize = 1 << 20;

fn part(function: &str) -> Option<TimePart> {
    Some(match function {
        "getFullYear" => TimePart::FullYear,
        "getMonth" => TimePart::Month,
        "getDayOfMonth" => TimePart::DayOfMonth,
        "getDate" => TimePart::Date,
        "getDayOfWeek" => TimePart::DayOfWeek,
        "getDayOfYear" => TimePart::DayOfYear,
        "getHours" => TimePart::Hours,
        "getMinutes" => TimePart::Minutes,
        "getSeconds" => TimePart::Seconds,
        "getMilliseconds" => TimePart::Milliseconds,
        _ => return None,
    })
}

impl Checker<'_> {
    /// `f(x)` or `x.f(y)`
    pub(super) fn call(
        &mut self,
        function: &str,
        name: &Range<usize>,
        target: Option<&Syntax>,
        arguments: &[Syntax],
        span: Range<usize>,
    ) -> Option<Node> {
        let Some((_, form, written, least, most)) = FUNCTIONS.iter().find(|(known, ..)| *known == function) else {
            return self.unknown_function(function, name, arguments);
        };
        let wrong_form = match form {
            CallForm::Plain => target.is_some(),
            CallForm::Method => target.is_none(),
            CallForm::Either => false,
        };
        let all: Vec<&Syntax> = target.into_iter().chain(arguments).collect();
        if wrong_form || all.len() < *least || all.len() > *most {
            return self.wrong(
                span,
                format!("`{function}` is not called like this"),
                &format!("it is written `{written}`"),
            );
        }
        match (function, all.as_slice()) {
            ("has", [x]) => self.has(x, span),
            ("size", [x]) => self.size(x, span),
            ("startsWith" | "endsWith" | "contains", [x, y]) => self.text_test(function, x, y, span),
            ("matches", [x, pattern]) => self.matches(x, pattern, span),
            ("abs", [x]) => self.absolute(x, span),
            ("min" | "max" | "coalesce", [x, y]) => self.of_two(function, x, y, span),
            ("int" | "double" | "string", [x]) => self.conversion(function, x, span),
            ("duration", [x]) => self.duration_literal(x, span),
            ("timestamp", [x]) => self.time_literal(x, span),
            (_, [x, zone @ ..]) => self.part_of_time(function, x, zone.first().copied(), span),
            _ => None,
        }
    }

    fn unknown_function(&mut self, function: &str, name: &Range<usize>, arguments: &[Syntax]) -> Option<Node> {
        const COMPREHENSIONS: [&str; 6] = ["all", "exists", "exists_one", "existsOne", "map", "filter"];
        if COMPREHENSIONS.contains(&function) {
            let help = "`x in list` asks whether a list has a value, `size(list)` how many it has";
            return self.wrong(name.clone(), format!("`{function}` is not supported"), help);
        }
        let known = || FUNCTIONS.iter().map(|(known, ..)| *known);
        // Or written out in full: `absolute`.
        let begins = || known().find(|known| known.len() > 2 && function.starts_with(known)).map(str::to_owned);
        let help = match nearest(function, known()).or_else(begins) {
            _ if foreign::function(function).is_some() => foreign::function(function).unwrap_or_default().to_owned(),
            Some(known) => {
                let written =
                    FUNCTIONS.iter().find(|(name, ..)| *name == known).map_or("", |(_, _, written, ..)| written);
                format!("did you mean `{written}`?")
            }
            None => "docs/packs.md lists the functions".to_owned(),
        };
        self.wrong::<()>(name.clone(), format!("unknown function `{function}`"), &help);
        for argument in arguments {
            self.any(argument);
        }
        None
    }

    fn has(&mut self, x: &Syntax, span: Range<usize>) -> Option<Node> {
        let node = self.value(x)?;
        if node.constant().is_some() {
            return self.wrong(span, "this is always true", "`has(x)` asks whether a name has a value");
        }
        Some(Node::new(span, Type::Bool, Kind::Has(Box::new(node))))
    }

    fn size(&mut self, x: &Syntax, span: Range<usize>) -> Option<Node> {
        let node = self.value(x)?;
        if !matches!(node.ty, Type::Text | Type::List(_)) {
            return self.wrong_argument("size", "a text or a list", &node);
        }
        self.folded(Node::new(span, Type::Int, Kind::Size(Box::new(node))))
    }

    /// Says what a function takes.
    fn wrong_argument<T>(&mut self, function: &str, takes: &str, node: &Node) -> Option<T> {
        let given = with_article(&self.spell(&node.ty));
        self.wrong(node.span.clone(), format!("`{function}` takes {takes}, not {given}"), "")
    }

    fn text_test(&mut self, function: &str, x: &Syntax, y: &Syntax, span: Range<usize>) -> Option<Node> {
        let (x, y) = (self.value(x), self.value(y));
        let (x, y) = (x?, y?);
        let test = match function {
            "startsWith" => TextTest::StartsWith,
            "endsWith" => TextTest::EndsWith,
            _ => TextTest::Contains,
        };
        if test == TextTest::Contains && matches!(x.ty, Type::List(_)) {
            let help = format!("write `{} in {}`", self.spelled(&y), self.spelled(&x));
            return self.wrong(span, "`contains` is for texts", &help);
        }
        for node in [&x, &y] {
            if node.ty != Type::Text {
                return self.wrong_argument(function, "texts", node);
            }
        }
        self.folded(Node::new(span, Type::Bool, Kind::Test(test, Box::new(x), Box::new(y))))
    }

    fn matches(&mut self, x: &Syntax, pattern: &Syntax, span: Range<usize>) -> Option<Node> {
        let node = self.value(x);
        let SyntaxKind::Text(text) = &pattern.kind else {
            return self.wrong(
                pattern.span.clone(),
                "the pattern has to be a literal",
                "it is compiled when the pack is loaded",
            );
        };
        let regex = match RegexBuilder::new(text).size_limit(PATTERN_BYTES).build() {
            Ok(regex) => regex,
            Err(error) => {
                let message = match error {
                    regex::Error::CompiledTooBig(_) => "the pattern is too large".to_owned(),
                    error => {
                        let text = error.to_string();
                        let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
                        format!("the pattern is wrong: {reason}")
                    }
                };
                return self.wrong(pattern.span.clone(), message, "");
            }
        };
        let node = node?;
        if node.ty != Type::Text {
            return self.wrong_argument("matches", "a text", &node);
        }
        self.folded(Node::new(span, Type::Bool, Kind::Matches(Box::new(node), regex)))
    }

    fn absolute(&mut self, x: &Syntax, span: Range<usize>) -> Option<Node> {
        let node = self.value(x)?;
        if !node.ty.is_number() && node.ty != Type::Duration {
            return self.wrong_argument("abs", "a number or a duration", &node);
        }
        let ty = node.ty.clone();
        self.folded(Node::new(span, ty, Kind::Absolute(Box::new(node))))
    }

    fn of_two(&mut self, function: &str, x: &Syntax, y: &Syntax, span: Range<usize>) -> Option<Node> {
        let (x, y) = (self.value(x), self.value(y));
        let (x, y) = self.unified(x?, y?, &span, &format!("`{function}`"))?;
        let ty = x.ty.clone();
        let (x, y) = (Box::new(x), Box::new(y));
        if function == "coalesce" {
            if x.constant().is_some() {
                return self.wrong(span, "this is always its first argument", "a literal is never null");
            }
            return Some(Node::new(span, ty, Kind::Coalesce(x, y)));
        }
        if matches!(ty, Type::List(_)) {
            return self.wrong_argument(function, "two values that have an order", &x);
        }
        self.folded(Node::new(span, ty, Kind::Extreme(function == "min", x, y)))
    }

    fn conversion(&mut self, function: &str, x: &Syntax, span: Range<usize>) -> Option<Node> {
        let node = self.value(x)?;
        let (ty, fits, takes) = match function {
            "string" => (Type::Text, !matches!(node.ty, Type::List(_)), "one value"),
            "int" => (Type::Int, node.ty.is_number() || node.ty == Type::Text, "a number or a text"),
            _ => (Type::Float, node.ty.is_number() || node.ty == Type::Text, "a number or a text"),
        };
        if !fits {
            return self.wrong_argument(function, takes, &node);
        }
        if function == "double" && node.is_exact() {
            return self.folded(Node::new(span, ty, Kind::Rounded(Box::new(node))));
        }
        if node.ty == ty {
            return Some(Node { span, exact: None, ..node });
        }
        self.folded(Node::new(span, ty, Kind::Convert(Box::new(node))))
    }

    fn duration_literal(&mut self, x: &Syntax, span: Range<usize>) -> Option<Node> {
        let written = "a text such as '48h' or '1d12h'";
        let SyntaxKind::Text(text) = &x.kind else {
            return self.wrong(x.span.clone(), format!("`duration` takes {written}"), "it has to be a literal");
        };
        match time::parse_duration(text) {
            Some(ms) if ms.abs() <= limits::DURATION_MS => {
                Some(Node::new(span, Type::Duration, Kind::Constant(Value::Duration(ms))))
            }
            Some(_) => self.wrong(x.span.clone(), "the duration is too long", "a duration is at most 100 years"),
            None => self.wrong(x.span.clone(), format!("`{text}` is not a duration"), &format!("write {written}")),
        }
    }

    fn time_literal(&mut self, x: &Syntax, span: Range<usize>) -> Option<Node> {
        let help = "a time is written `timestamp('2026-03-02T09:00:00Z')`";
        let SyntaxKind::Text(text) = &x.kind else {
            return self.wrong(x.span.clone(), "`timestamp` takes a text", help);
        };
        match text.parse::<jiff::Timestamp>() {
            Ok(timestamp) => {
                let ms = timestamp.as_nanosecond().div_euclid(1_000_000) as i64;
                Some(Node::new(span, Type::Time, Kind::Constant(Value::Time(ms))))
            }
            Err(_) => self.wrong(x.span.clone(), format!("`{text}` is not a time"), help),
        }
    }

    fn part_of_time(&mut self, function: &str, x: &Syntax, zone: Option<&Syntax>, span: Range<usize>) -> Option<Node> {
        let node = self.value(x);
        let zone = match zone.map(|zone| (&zone.kind, zone.span.clone())) {
            None => TimeZone::UTC,
            Some((SyntaxKind::Text(name), at)) => {
                let Ok(zone) = TimeZone::get(name) else {
                    let message = format!("unknown time zone `{name}`");
                    return self.wrong(at, message, "use a name of the IANA database, such as 'Europe/Paris'");
                };
                zone
            }
            Some((_, at)) => return self.wrong(at, "the zone has to be a literal", "such as 'Europe/Paris'"),
        };
        let node = node?;
        if node.ty != Type::Time {
            return self.wrong_argument(function, "a time", &node);
        }
        let part = part(function)?;
        self.folded(Node::new(span, Type::Int, Kind::Part(part, Box::new(node), zone)))
    }
}

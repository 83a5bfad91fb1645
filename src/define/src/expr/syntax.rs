//! From tokens to a tree, by the parser of the `cel` crate: the only file that knows the crate.
//!
//! The parser notes for each node one token only (of `a + b` the `+`). The tree here has the whole
//! text of each node, so that a caret can point at it.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cel::common::ast::{CallExpr, Expr as Cel, IdedExpr, LiteralValue, SourceInfo, operators};
use cel::parser::{ParseErrors, Parser};

use super::source::SourceText;
use super::token::TokenKind;
use super::{Mistake, foreign};
use propice_model::{limits, time};

/// A part of an expression, as it was written.
#[derive(Clone, Debug)]
pub(super) struct Syntax {
    /// Its place in the text.
    pub(super) span: Range<usize>,
    /// What it is.
    pub(super) kind: SyntaxKind,
}

/// What a part of an expression is.
#[derive(Clone, Debug)]
pub(super) enum SyntaxKind {
    /// `null`
    Null,
    /// `true`
    Bool(bool),
    /// `12`
    Int(i64),
    /// `1.5`, as it was spelled.
    Real(f64, String),
    /// `'text'`
    Text(String),
    /// `7d`, in ms.
    Duration(i64),
    /// `account.balance`
    Path(Vec<String>),
    /// `[1, 2]`
    List(Vec<Syntax>),
    /// `-x`
    Negate(Box<Syntax>),
    /// `!x`
    Not(Box<Syntax>),
    /// `a + b`, `a == b`: the operator as it is spelled.
    Binary(&'static str, Box<Syntax>, Box<Syntax>),
    /// `a && b && c`
    All(Vec<Syntax>),
    /// `a || b || c`
    Any(Vec<Syntax>),
    /// `a ? b : c`
    Conditional(Box<[Syntax; 3]>),
    /// `f(x)`, `x.f(y)`
    Call {
        /// The name of the function.
        function: String,
        /// The place of the name.
        name: Range<usize>,
        /// What stands before the point.
        target: Option<Box<Syntax>>,
        /// What stands in parentheses.
        arguments: Vec<Syntax>,
    },
    /// What CEL has and packs have not.
    Unsupported(&'static str),
}

/// Parses a text.
pub(super) fn parse(source: &SourceText<'_>) -> Result<Syntax, Vec<Mistake>> {
    let everything = 0..source.text.len();
    let depth = u16::try_from(limits::EXPRESSION_DEPTH * 4).unwrap_or(u16::MAX);
    // The parser is generated code that is not known to be free of panics. What it has been given
    // is dropped with it.
    let parsed = catch_unwind(AssertUnwindSafe(|| {
        Parser::new().max_recursion_depth(depth).error_recovery_limit(0).parse_with_source_info(&source.rewritten)
    }));
    match parsed {
        Ok(Ok((tree, info))) => Ok(SyntaxReader { source, info }.read(tree)),
        Ok(Err(errors)) => {
            let foreign = foreign::mistakes(source);
            Err(if foreign.is_empty() { vec![readable(source, &errors)] } else { foreign })
        }
        Err(_) => Err(vec![Mistake::new(everything, "the expression cannot be understood")]),
    }
}

/// The first of the parser's errors, in plain words.
fn readable(source: &SourceText<'_>, errors: &ParseErrors) -> Mistake {
    let Some(first) = errors.errors.first() else {
        return Mistake::new(0..source.text.len(), "the expression cannot be understood");
    };
    let at = place(&source.rewritten, first.pos);
    let token = source.token_at(at);
    let span = source.tokens.get(token).map_or(0..source.text.len(), |token| token.span.clone());
    let spelled = source.spelled(token);
    let message = first.msg.as_str();
    if message.contains("invalid int literal") {
        return Mistake::new(span, "the number is too large").help("an int has 64 bit");
    }
    if message.contains("invalid double literal") {
        return Mistake::new(span, "the number is too large");
    }
    if message.contains("unsupported syntax") {
        return Mistake::new(span, "`?` means nothing here").help("`coalesce(x, y)` is `y` where `x` is null");
    }
    if at >= source.rewritten.len() {
        let conditionals = source.count("?") > source.count(":");
        let help = if conditionals {
            "a conditional is written `a ? b : c`".to_owned()
        } else {
            format!("something is missing behind `{spelled}`")
        };
        return Mistake::new(span.end..span.end, "the expression ends too early").help(help);
    }
    let mistake = Mistake::new(span, format!("`{spelled}` is not expected here"));
    match spelled {
        "{" | "}" => mistake.help("maps and messages are not supported"),
        _ if source
            .tokens
            .get(token)
            .is_some_and(|token| !matches!(token.kind, TokenKind::Operator | TokenKind::Close)) =>
        {
            mistake.help("an operator is missing before it")
        }
        _ => mistake,
    }
}

/// The byte at a line and column (in characters), both from 1.
fn place(text: &str, (line, column): (isize, isize)) -> usize {
    let skipped = usize::try_from(line - 1).unwrap_or(0);
    let start: usize = text.split_inclusive('\n').take(skipped).map(str::len).sum();
    let column = usize::try_from(column - 1).unwrap_or(0);
    text[start..].char_indices().nth(column).map_or(text.len(), |(at, _)| start + at)
}

/// Reads the parser's tree.
struct SyntaxReader<'a> {
    source: &'a SourceText<'a>,
    info: SourceInfo,
}

impl SyntaxReader<'_> {
    /// The token that the parser noted for a node.
    fn token(&self, id: u64) -> usize {
        self.info.offset_for(id).map_or(0, |(start, _)| self.source.token_at(start as usize))
    }

    fn span_of(&self, token: usize) -> Range<usize> {
        self.source.tokens.get(token).map_or(0..0, |token| token.span.clone())
    }

    /// From the start of one part to the end of another.
    fn across(&self, from: &Range<usize>, to: &Range<usize>) -> Range<usize> {
        self.source.balanced(from.start.min(to.start)..to.end.max(from.end))
    }

    fn read(&self, tree: IdedExpr) -> Syntax {
        let token = self.token(tree.id);
        let span = self.span_of(token);
        match tree.expr {
            Cel::Literal(literal) => self.literal(literal, token),
            Cel::Ident(_) => Syntax { kind: SyntaxKind::Path(vec![self.source.spelled(token).to_owned()]), span },
            Cel::Select(select) => {
                let operand = self.read(*select.operand);
                let span = self.across(&operand.span, &self.span_of(token + 1));
                let kind = match operand.kind {
                    SyntaxKind::Path(mut path) => {
                        path.push(self.source.spelled(token + 1).to_owned());
                        SyntaxKind::Path(path)
                    }
                    unsupported @ SyntaxKind::Unsupported(_) => unsupported,
                    _ => SyntaxKind::Unsupported("a field of a value"),
                };
                Syntax { span, kind }
            }
            Cel::List(list) => {
                let end = self.source.partner(token).unwrap_or(token);
                let elements = list.elements.into_iter().map(|element| self.read(element)).collect();
                Syntax { span: span.start..self.span_of(end).end, kind: SyntaxKind::List(elements) }
            }
            Cel::Call(call) => self.call(call, token),
            Cel::Map(_) | Cel::Struct(_) => Syntax { span, kind: SyntaxKind::Unsupported("a map or message") },
            Cel::Comprehension(_) | Cel::Unspecified => Syntax { span, kind: SyntaxKind::Unsupported("this") },
        }
    }

    fn literal(&self, literal: LiteralValue, token: usize) -> Syntax {
        let mut span = self.span_of(token);
        let mut signed = |negative: bool| {
            if negative && token > 0 && self.source.spelled(token - 1) == "-" {
                span.start = self.span_of(token - 1).start;
            }
        };
        let kind = match literal {
            LiteralValue::Null => SyntaxKind::Null,
            LiteralValue::Boolean(flag) => SyntaxKind::Bool(*flag.inner()),
            LiteralValue::Int(number) => {
                signed(*number.inner() < 0);
                SyntaxKind::Int(*number.inner())
            }
            LiteralValue::Double(number) => {
                let number = *number.inner();
                signed(number.is_sign_negative());
                let sign = if number.is_sign_negative() { "-" } else { "" };
                SyntaxKind::Real(number, format!("{sign}{}", self.source.spelled(token)))
            }
            LiteralValue::String(text) => SyntaxKind::Text(text.inner().to_owned()),
            LiteralValue::Bytes(_) => SyntaxKind::Unsupported("bytes"),
            LiteralValue::UInt(_) => SyntaxKind::Unsupported("an unsigned number"),
        };
        Syntax { span, kind }
    }

    fn call(&self, call: CallExpr, token: usize) -> Syntax {
        let span = self.span_of(token);
        if self.source.tokens.get(token).is_some_and(|token| token.kind == TokenKind::Duration) {
            let kind = SyntaxKind::Duration(time::parse_duration(self.source.spelled(token)).unwrap_or(0));
            return Syntax { span, kind };
        }
        let target = call.target.map(|target| self.read(*target));
        let mut arguments: Vec<Syntax> = call.args.into_iter().map(|argument| self.read(argument)).collect();
        let operator = call.func_name.as_str();
        match (operator, arguments.len()) {
            (operators::NEGATE | operators::LOGICAL_NOT, 1) => {
                let operand = Box::new(arguments.remove(0));
                let span = self.across(&span, &operand.span);
                let negate = operator == operators::NEGATE;
                Syntax { span, kind: if negate { SyntaxKind::Negate(operand) } else { SyntaxKind::Not(operand) } }
            }
            (operators::CONDITIONAL, 3) => {
                let span = self.across(&arguments[0].span, &arguments[2].span);
                match <[Syntax; 3]>::try_from(arguments) {
                    Ok(parts) => Syntax { span, kind: SyntaxKind::Conditional(Box::new(parts)) },
                    Err(_) => Syntax { span, kind: SyntaxKind::Unsupported("this") },
                }
            }
            (operators::LOGICAL_AND | operators::LOGICAL_OR, 2) => self.chain(operator, arguments),
            (operators::INDEX | operators::OPT_INDEX, 2) => {
                let span = self.across(&arguments[0].span, &span);
                Syntax { span, kind: SyntaxKind::Unsupported("an index") }
            }
            (_, 2) if binary(operator).is_some() => {
                let span = self.across(&arguments[0].span, &arguments[1].span);
                let (right, left) = (arguments.pop(), arguments.pop());
                let kind = match (left, right, binary(operator)) {
                    (Some(left), Some(right), Some(operator)) => {
                        SyntaxKind::Binary(operator, Box::new(left), Box::new(right))
                    }
                    _ => SyntaxKind::Unsupported("this"),
                };
                Syntax { span, kind }
            }
            _ => {
                let name = self.span_of(token.saturating_sub(1));
                let end = self.span_of(self.source.partner(token).unwrap_or(token));
                let start = target.as_ref().map_or(&name, |target| &target.span);
                let span = self.across(start, &end);
                let function = self.source.text[name.clone()].to_owned();
                Syntax { span, kind: SyntaxKind::Call { function, name, target: target.map(Box::new), arguments } }
            }
        }
    }

    /// The parser makes a balanced tree of a chain; here it is flat again.
    fn chain(&self, operator: &str, arguments: Vec<Syntax>) -> Syntax {
        let all = operator == operators::LOGICAL_AND;
        let span = arguments.iter().map(|argument| argument.span.clone()).reduce(|from, to| self.across(&from, &to));
        let mut parts = Vec::with_capacity(arguments.len());
        for argument in arguments {
            match argument.kind {
                SyntaxKind::All(inner) if all => parts.extend(inner),
                SyntaxKind::Any(inner) if !all => parts.extend(inner),
                _ => parts.push(argument),
            }
        }
        let kind = if all { SyntaxKind::All(parts) } else { SyntaxKind::Any(parts) };
        Syntax { span: span.unwrap_or_default(), kind }
    }
}

/// A binary operator as it is spelled.
fn binary(operator: &str) -> Option<&'static str> {
    Some(match operator {
        operators::ADD => "+",
        operators::SUBSTRACT => "-",
        operators::MULTIPLY => "*",
        operators::DIVIDE => "/",
        operators::MODULO => "%",
        operators::EQUALS => "==",
        operators::NOT_EQUALS => "!=",
        operators::LESS => "<",
        operators::LESS_EQUALS => "<=",
        operators::GREATER => ">",
        operators::GREATER_EQUALS => ">=",
        operators::IN => "in",
        _ => return None,
    })
}

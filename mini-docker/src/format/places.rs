//! Notes in the tree of a template where each part of it stands in the source.
//!
//! `{{index .Labels "a"}}` becomes `{{index (field 8 . "Labels") (here 2 "index" "a")}}`: arguments are evaluated from
//! left to right, so when `index` is called, the note made last is its own.

use gotmpl::parse::{BranchNode, CommandNode, Expr, ListNode, Node, Number, PipeNode, Pos, SmolStr};

use super::fault::{Error, line_and_column};
use super::functions;

/// The functions that the tree calls beside those of its author; no template can name them.
pub(super) const HERE: &str = "\u{1}here";
pub(super) const FIELD: &str = "\u{1}field";
pub(super) const SHOW: &str = "\u{1}show";

/// Go's own functions.
const BUILT_IN: [&str; 16] = [
    "and", "or", "not", "call", "print", "printf", "println", "html", "js", "urlquery", "eq", "ne", "lt",
    "le", "gt", "ge",
];

/// Changes the tree. A function or variable that does not exist is refused here, as Go does.
pub(super) fn note(list: &mut ListNode, source: &str) -> Result<(), Error> {
    Notes { source, variables: vec!["$".into()] }.list(list)
}

struct Notes<'a> {
    source: &'a str,
    /// Those that can be used at this point.
    variables: Vec<SmolStr>,
}

impl Notes<'_> {
    fn list(&mut self, list: &mut ListNode) -> Result<(), Error> {
        list.nodes.iter_mut().try_for_each(|node| match node {
            Node::List(list) => self.list(list),
            Node::Action(action) => {
                self.pipe(&mut action.pipe)?;
                if action.pipe.decl.is_empty() {
                    action.pipe.commands.push(call(SHOW, action.pos, Vec::new()));
                }
                Ok(())
            }
            Node::If(branch) | Node::With(branch) => self.branch(branch, false),
            Node::Range(branch) => self.branch(branch, true),
            Node::Template(template) => template.pipe.iter_mut().try_for_each(|pipe| self.pipe(pipe)),
            Node::Define(define) => note(&mut define.body, self.source),
            Node::Text(_) | Node::Break(_) | Node::Continue(_) => Ok(()),
        })
    }

    fn branch(&mut self, branch: &mut BranchNode, is_range: bool) -> Result<(), Error> {
        let known = self.variables.len();
        let pos = branch.pipe.commands.first().and_then(|command| command.args.first()).map(Expr::pos);
        self.pipe(&mut branch.pipe)?;
        if let Some(pos) = pos.filter(|_| is_range) {
            // Last of all comes the question whether there is anything to go through.
            branch.pipe.commands.push(call(HERE, pos, vec![offset(pos), text(pos, "range")]));
        }
        self.list(&mut branch.body)?;
        branch.else_body.iter_mut().try_for_each(|body| self.list(body))?;
        self.variables.truncate(known);
        Ok(())
    }

    fn pipe(&mut self, pipe: &mut PipeNode) -> Result<(), Error> {
        let mut commands: Vec<CommandNode> = Vec::new();
        for mut command in std::mem::take(&mut pipe.commands) {
            let has_arguments = command.args.len() > 1;
            command.args.iter_mut().try_for_each(|argument| self.expression(argument))?;
            let pos = command.args[0].pos();
            match &command.args[0] {
                Expr::Identifier(_, name) => {
                    let mut noted = vec![offset(pos), text(pos, name)];
                    let is_lazy = name == "and" || name == "or";
                    if let Some(last) = command.args.pop_if(|_| has_arguments && !is_lazy) {
                        noted.push(last);
                        command.args.push(Expr::Pipe(pos, one(call(HERE, pos, noted))));
                    } else if !commands.is_empty() {
                        commands.push(call(HERE, pos, noted));
                    }
                }
                // A field with arguments is a method.
                _ if has_arguments => command.args.insert(0, Expr::Identifier(pos, "call".into())),
                _ => {}
            }
            commands.push(command);
        }
        pipe.commands = commands;
        if !pipe.is_assign {
            self.variables.extend(pipe.decl.iter().cloned());
        }
        Ok(())
    }

    fn expression(&mut self, expression: &mut Expr) -> Result<(), Error> {
        match expression {
            Expr::Field(pos, names) => *expression = field(*pos, Expr::Dot(*pos), names),
            Expr::Variable(pos, name, names) => {
                if !self.variables.contains(name) {
                    return Err(self.refused(*pos, format!("undefined variable \"{name}\"")));
                }
                if !names.is_empty() {
                    *expression = field(*pos, Expr::Variable(*pos, name.clone(), Vec::new()), names);
                }
            }
            Expr::Chain(pos, inner, names) if !matches!(**inner, Expr::Identifier(..)) => {
                self.expression(inner)?;
                *expression = field(*pos, (**inner).clone(), names);
            }
            Expr::Pipe(_, inner) => self.pipe(inner)?,
            Expr::Identifier(pos, name)
                if !BUILT_IN.contains(&name.as_str()) && !functions::NAMES.contains(&name.as_str()) =>
            {
                return Err(self.refused(*pos, format!("function \"{name}\" not defined")));
            }
            _ => {}
        }
        Ok(())
    }

    fn refused(&self, pos: Pos, message: String) -> Error {
        let (line, column) = line_and_column(self.source, pos.offset);
        Error::Parse { line, column, message }
    }
}

fn field(pos: Pos, value: Expr, names: &[SmolStr]) -> Expr {
    let mut arguments = vec![offset(pos), value];
    arguments.extend(names.iter().map(|name| text(pos, name)));
    Expr::Pipe(pos, one(call(FIELD, pos, arguments)))
}

fn one(command: CommandNode) -> PipeNode {
    PipeNode { pos: command.pos, decl: Vec::new(), commands: vec![command], is_assign: false }
}

fn offset(pos: Pos) -> Expr {
    Expr::Number(pos, Number::Int(i64::try_from(pos.offset).unwrap_or(0)))
}

fn text(pos: Pos, text: &str) -> Expr {
    Expr::String(pos, text.into())
}

/// A call of one of our functions.
fn call(name: &str, pos: Pos, arguments: Vec<Expr>) -> CommandNode {
    let mut args = vec![Expr::Identifier(pos, name.into())];
    args.extend(arguments);
    CommandNode { pos, args }
}

/// The part of the source that begins at `offset`: a whole call with its arguments, or a chain of fields.
pub(super) fn part(source: &str, offset: usize, is_call: bool) -> &str {
    let rest = source.get(offset..).unwrap_or_default();
    let end = if is_call { end_of_call(rest) } else { end_of_chain(rest) };
    rest[..end].trim_end_matches(" -").trim_end()
}

fn end_of_chain(rest: &str) -> usize {
    rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '.' | '_' | '$')).unwrap_or(rest.len())
}

fn end_of_call(rest: &str) -> usize {
    let mut depth = 0;
    let mut quote = None;
    let mut is_escaped = false;
    for (at, c) in rest.char_indices() {
        match (quote, c) {
            _ if is_escaped => is_escaped = false,
            (Some('"' | '\''), '\\') => is_escaped = true,
            (Some(open), _) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')' | '|' | '}') if depth == 0 => return at,
            (None, ')') => depth -= 1,
            _ => {}
        }
    }
    rest.len()
}

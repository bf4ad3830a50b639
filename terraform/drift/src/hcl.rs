//! HCL as a [`Node`]. Nothing is evaluated: what Terraform would fill in stays as it is written.

use hcl_edit::Span;
use hcl_edit::expr::{Expression, ObjectKey, TraversalOperator};
use hcl_edit::structure::{Body, Structure};
use hcl_edit::template::{Element, Template};

use crate::tree::{Node, Value, line_of};

/// Reads one file.
///
/// # Errors
/// What the parser says, with the line.
pub fn parse(text: &str) -> Result<Node, String> {
    let body = hcl_edit::parser::parse_body(text).map_err(|error| error.to_string())?;
    Ok(Reader { text }.body(&body, 1))
}

struct Reader<'t> {
    text: &'t str,
}

impl Reader<'_> {
    fn line(&self, at: &impl Span, or: usize) -> usize {
        at.span()
            .map_or(or, |range| line_of(self.text, range.start))
    }

    fn written(&self, at: &impl Span) -> String {
        let written = at.span().and_then(|range| self.text.get(range));
        written.unwrap_or_default().trim().to_owned()
    }

    fn body(&self, body: &Body, line: usize) -> Node {
        let entries = body.iter().map(|structure| match structure {
            Structure::Attribute(attribute) => {
                let line = self.line(&attribute.key, line);
                let node = self.expression(&attribute.value, line);
                (attribute.key.to_string(), node)
            }
            Structure::Block(block) => {
                let line = self.line(&block.ident, line);
                let node = self.body(&block.body, line);
                let node = block.labels.iter().rev().fold(node, |node, label| Node {
                    line,
                    value: Value::Map(vec![(label.as_str().to_owned(), node)]),
                });
                (block.ident.to_string(), node)
            }
        });
        Node {
            line,
            value: Value::Map(entries.collect()),
        }
    }

    fn expression(&self, expression: &Expression, line: usize) -> Node {
        let line = self.line(expression, line);
        let node = |expression: &Expression| self.expression(expression, line);
        let code = |parts| Value::Code(self.written(expression), parts);
        let value = match expression {
            Expression::Null(_) => Value::Null,
            Expression::Bool(value) => Value::Bool(*value.value()),
            Expression::Number(number) => match number.value().as_f64() {
                Some(number) => Value::Number(number),
                None => code(Vec::new()),
            },
            Expression::String(text) => Value::Text(text.value().clone()),
            Expression::StringTemplate(template) => Value::Text(self.template(template.iter())),
            Expression::HeredocTemplate(heredoc) => Value::Text(self.heredoc(&heredoc.template)),
            Expression::Array(items) => Value::List(items.iter().map(node).collect()),
            Expression::Object(object) => {
                let entries = object.iter().map(|(key, value)| {
                    let name = match key {
                        ObjectKey::Ident(name) => name.to_string(),
                        ObjectKey::Expression(key) => match self.expression(key, line).value {
                            Value::Text(text) => text,
                            _ => self.written(key),
                        },
                    };
                    (name, self.expression(value.expr(), line))
                });
                Value::Map(entries.collect())
            }
            Expression::Parenthesis(inner) => return self.expression(inner.inner(), line),
            Expression::Variable(_) => code(Vec::new()),
            Expression::Conditional(choice) => {
                code(vec![node(&choice.true_expr), node(&choice.false_expr)])
            }
            Expression::FuncCall(call) => code(call.args.iter().map(node).collect()),
            Expression::Traversal(traversal) => {
                let indices = traversal.operators.iter().filter_map(|operator| {
                    let TraversalOperator::Index(index) = operator.value() else {
                        return None;
                    };
                    Some(node(index))
                });
                let parts = std::iter::once(node(&traversal.expr)).chain(indices);
                code(parts.collect())
            }
            Expression::UnaryOp(operation) => code(vec![node(&operation.expr)]),
            Expression::BinaryOp(operation) => {
                code(vec![node(&operation.lhs_expr), node(&operation.rhs_expr)])
            }
            Expression::ForExpr(each) => {
                let mut parts = vec![node(&each.intro.collection_expr)];
                parts.extend(each.key_expr.as_ref().map(node));
                parts.push(node(&each.value_expr));
                code(parts)
            }
        };
        Node { line, value }
    }

    fn heredoc(&self, template: &Template) -> String {
        self.template(template.iter())
    }

    fn template<'e>(&self, elements: impl Iterator<Item = &'e Element>) -> String {
        let mut text = String::new();
        for element in elements {
            match element {
                Element::Literal(literal) => text.push_str(literal),
                Element::Interpolation(filled) => {
                    text.push_str("${");
                    text.push_str(&self.written(&filled.expr));
                    text.push('}');
                }
                Element::Directive(directive) => text.push_str(&self.written(directive)),
            }
        }
        text
    }
}

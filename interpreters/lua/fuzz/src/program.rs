//! Programs as trees of statements, so that they can be made smaller.

/// A statement, or several of them in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Line(String),
    /// What opens it; its bodies, each with what follows it: `else` or the end.
    Block(String, Vec<(Vec<Node>, String)>),
}

/// A program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    pub(crate) nodes: Vec<Node>,
}

impl Program {
    /// Its text.
    pub fn text(&self) -> String {
        let mut out = String::from(crate::PRELUDE);
        print(&self.nodes, 0, &mut out);
        out
    }

    /// How many statements it has.
    pub fn size(&self) -> usize {
        count(&self.nodes)
    }

    /// The programs with one statement less, and those with a block's body for the block.
    fn smaller(&self) -> Vec<Program> {
        variants(&self.nodes).into_iter().map(|nodes| Program { nodes }).collect()
    }
}

/// Makes a program smaller while `holds` does of the smaller one.
pub fn reduce(program: &Program, mut holds: impl FnMut(&Program) -> bool) -> Program {
    let mut best = program.clone();
    while let Some(next) = best.smaller().into_iter().find(|smaller| holds(smaller)) {
        best = next;
    }
    best
}

fn print(nodes: &[Node], depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    for node in nodes {
        match node {
            Node::Line(text) => *out += &format!("{indent}{text}\n"),
            Node::Block(open, parts) => {
                *out += &format!("{indent}{open}\n");
                for (body, after) in parts {
                    print(body, depth + 1, out);
                    *out += &format!("{indent}{after}\n");
                }
            }
        }
    }
}

fn count(nodes: &[Node]) -> usize {
    let of = |node: &Node| match node {
        Node::Line(_) => 1,
        Node::Block(_, parts) => 1 + parts.iter().map(|(body, _)| count(body)).sum::<usize>(),
    };
    nodes.iter().map(of).sum()
}

fn variants(nodes: &[Node]) -> Vec<Vec<Node>> {
    let mut out = Vec::new();
    let with = |at: usize, put: &[Node]| [&nodes[..at], put, &nodes[at + 1..]].concat();
    for (at, node) in nodes.iter().enumerate() {
        out.push(with(at, &[]));
        let Node::Block(open, parts) = node else { continue };
        for (n, (body, after)) in parts.iter().enumerate() {
            out.push(with(at, body));
            for smaller in variants(body) {
                let mut parts = parts.clone();
                parts[n] = (smaller, after.clone());
                out.push(with(at, &[Node::Block(open.clone(), parts)]));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_matter_goes() {
        let program = crate::generate(7);
        assert!(program.size() > 20, "{}", program.text());
        let last = |program: &Program| program.nodes.last().cloned();
        let wanted = last(&program);
        let reduced = reduce(&program, |smaller| last(smaller) == wanted);
        assert_eq!(Some(reduced.nodes), wanted.map(|node| vec![node]));
    }
}

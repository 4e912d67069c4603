//! The tree of generated code: text with holes, where each node says what it declares and what it uses.
//!
//! In: nodes made by the generator. Out: text, and, for shrinking, trees with something taken away.
//!
//! A node's text is its parts in order. What a node declares is visible wherever the generator made use of it; taking nodes
//! away can only take declarations away, never move a use out of their scope. So [`Node::repair`] is all that is needed to
//! make a tree well-typed again: a value that uses something undeclared becomes its type's default, a statement
//! that does disappears. What is no value (a place, an arm) passes the fault on to the node around it.

use crate::types::{Ty, Types};
use std::collections::HashSet;

/// Something that is declared once and may be used: a variable, a label, the target of `return`, a function.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Id(pub u32);

/// What may be put in a node's place.
#[derive(Clone, Debug, PartialEq)]
pub enum Role {
    /// A value of this type: any other value of the type.
    Value(Ty),
    /// A statement: nothing.
    Statement,
    /// An arm that is not needed for the match to be complete: nothing.
    Arm,
    /// Nothing else: a place, a pattern, an arm that must stay.
    Fixed,
}

/// A piece of a node.
#[derive(Clone, Debug)]
pub enum Part {
    /// Text as it stands.
    Text(String),
    /// A number whose type is known where it stands, and the suffix that says it elsewhere.
    Literal { digits: String, suffix: &'static str, suffixed: bool },
    /// A node.
    Node(Box<Node>),
    /// Statements or arms.
    List(Vec<Node>),
}

/// Code.
#[derive(Clone, Debug)]
pub struct Node {
    pub role: Role,
    pub parts: Vec<Part>,
    pub declares: Vec<Id>,
    pub uses: Vec<Id>,
}

impl Node {
    /// A node without parts.
    pub fn new(role: Role) -> Node {
        Node { role, parts: Vec::new(), declares: Vec::new(), uses: Vec::new() }
    }

    /// A value that is text only.
    pub fn leaf(ty: &Ty, text: impl Into<String>) -> Node {
        Node::new(Role::Value(ty.clone())).text(text)
    }

    /// Appends text.
    pub fn text(mut self, text: impl Into<String>) -> Node {
        self.parts.push(Part::Text(text.into()));
        self
    }

    /// Appends a node.
    pub fn node(mut self, node: Node) -> Node {
        self.parts.push(Part::Node(Box::new(node)));
        self
    }

    /// Appends nodes with text between them.
    pub fn joined(mut self, nodes: Vec<Node>, between: &str) -> Node {
        for (n, node) in nodes.into_iter().enumerate() {
            if n > 0 {
                self = self.text(between);
            }
            self = self.node(node);
        }
        self
    }

    /// Appends statements or arms.
    pub fn list(mut self, nodes: Vec<Node>) -> Node {
        self.parts.push(Part::List(nodes));
        self
    }

    /// Adds a declaration.
    pub fn declaring(mut self, ids: impl IntoIterator<Item = Id>) -> Node {
        self.declares.extend(ids);
        self
    }

    /// Adds a use.
    pub fn using(mut self, ids: impl IntoIterator<Item = Id>) -> Node {
        self.uses.extend(ids);
        self
    }

    /// The type, of a value.
    pub fn ty(&self) -> Option<&Ty> {
        match &self.role {
            Role::Value(ty) => Some(ty),
            _ => None,
        }
    }

    fn children(&self) -> impl Iterator<Item = &Node> {
        self.parts.iter().flat_map(|part| match part {
            Part::Node(node) => std::slice::from_ref(&**node),
            Part::List(nodes) => nodes.as_slice(),
            Part::Text(_) | Part::Literal { .. } => &[],
        })
    }

    /// Everything in the tree, a node before what is in it.
    pub fn each<'a>(&'a self, f: &mut dyn FnMut(&'a Node)) {
        f(self);
        self.children().for_each(|child| child.each(f));
    }

    /// How many nodes there are.
    pub fn size(&self) -> usize {
        1 + self.children().map(Node::size).sum::<usize>()
    }

    /// All that is used in the tree.
    pub fn all_uses(&self) -> HashSet<Id> {
        let mut uses = HashSet::new();
        self.each(&mut |node| uses.extend(node.uses.iter().copied()));
        uses
    }

    /// All that is declared in the tree.
    pub fn all_declared(&self) -> HashSet<Id> {
        let mut declared = HashSet::new();
        self.each(&mut |node| declared.extend(node.declares.iter().copied()));
        declared
    }

    /// The `n`th node in the order of [`Node::each`].
    pub fn nth(&self, n: usize) -> Option<&Node> {
        let (mut at, mut found) = (0, None);
        self.each(&mut |node| {
            if at == n {
                found = Some(node);
            }
            at += 1;
        });
        found
    }

    /// The `n`th node, to be changed.
    pub fn nth_mut(&mut self, n: usize) -> Option<&mut Node> {
        fn find<'a>(node: &'a mut Node, n: &mut usize) -> Option<&'a mut Node> {
            if *n == 0 {
                return Some(node);
            }
            *n -= 1;
            for part in &mut node.parts {
                let nodes = match part {
                    Part::Node(node) => std::slice::from_mut(&mut **node),
                    Part::List(nodes) => nodes.as_mut_slice(),
                    Part::Text(_) | Part::Literal { .. } => continue,
                };
                for child in nodes {
                    if let Some(found) = find(child, n) {
                        return Some(found);
                    }
                }
            }
            None
        }
        let mut n = n;
        find(self, &mut n)
    }

    /// Takes away what uses something that is not declared. False if this node is at fault itself.
    pub fn repair(&mut self, declared: &HashSet<Id>, types: &Types) -> bool {
        let mut sound = self.uses.iter().all(|id| declared.contains(id));
        for part in &mut self.parts {
            match part {
                Part::Node(node) => sound &= node.repair(declared, types),
                Part::List(nodes) => nodes.retain_mut(|node| {
                    let good = node.repair(declared, types);
                    // An arm that must stay cannot be at fault: its body is a value.
                    good || !matches!(node.role, Role::Statement | Role::Arm)
                }),
                Part::Text(_) | Part::Literal { .. } => {}
            }
        }
        match &self.role {
            Role::Value(ty) if !sound => {
                *self = Node::leaf(ty, types.default(ty));
                true
            }
            _ => sound,
        }
    }

    /// The text.
    pub fn print(&self, out: &mut String) {
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Literal { digits, suffix, suffixed } => {
                    out.push_str(digits);
                    if *suffixed {
                        out.push_str(suffix);
                    }
                }
                Part::Node(node) => node.print(out),
                Part::List(nodes) => nodes.iter().for_each(|node| {
                    out.push('\n');
                    node.print(out);
                }),
            }
        }
    }

    /// Says the types of the numbers in this node, which may stand where they are not known.
    pub fn suffix(&mut self) {
        for part in &mut self.parts {
            match part {
                Part::Literal { suffixed, .. } => *suffixed = true,
                Part::Node(node) => node.suffix(),
                Part::List(nodes) => nodes.iter_mut().for_each(Node::suffix),
                Part::Text(_) => {}
            }
        }
    }
}

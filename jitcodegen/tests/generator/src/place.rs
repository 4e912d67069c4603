//! Places: a variable and a path of fields and elements to a value of a wanted type.

use crate::gen_state::{Content, Gen};
use crate::tree::{Id, Node, Role};
use crate::types::{Ty, TypeDef, USIZE};

/// One step from a place to a part of it.
#[derive(Clone, Debug)]
enum Step {
    Field(String),
    /// An element of an array this long.
    Element(usize),
    /// An element of a slice or vector.
    Dynamic,
}

/// A place that could be made.
#[derive(Clone, Debug)]
pub struct Found {
    pub root: Id,
    path: String,
    steps: Vec<Step>,
    pub content: Content,
    write: bool,
}

impl Gen {
    /// All places that satisfy `wanted`, readable and, if asked for, writable.
    pub fn places(&self, write: bool, wanted: &dyn Fn(&Content) -> bool) -> Vec<Found> {
        let mut out = Vec::new();
        for var in &self.vars {
            let free = var.unique == 0 && (!write || (var.writable && var.shared == 0 && !self.pure));
            if free {
                let (path, content) = (var.path.clone(), var.content.clone());
                let found = Found { root: var.id, path, steps: Vec::new(), content, write };
                self.parts(found, 0, wanted, &mut out);
            }
        }
        out
    }

    fn parts(&self, at: Found, depth: usize, wanted: &dyn Fn(&Content) -> bool, out: &mut Vec<Found>) {
        if wanted(&at.content) {
            out.push(at.clone());
        }
        if depth == 3 {
            return;
        }
        let mut go = |step: Step, ty: &Ty| {
            let mut next = at.clone();
            next.steps.push(step);
            next.content = Content::Value(ty.clone());
            self.parts(next, depth + 1, wanted, out);
        };
        match &at.content {
            Content::Slice(ty) | Content::Vec(ty) => go(Step::Dynamic, ty),
            Content::Value(Ty::Tuple(tys)) => {
                tys.iter().enumerate().for_each(|(n, ty)| go(Step::Field(n.to_string()), ty));
            }
            Content::Value(Ty::Array(ty, n)) => go(Step::Element(*n), ty),
            Content::Value(Ty::Wrap(ty)) => {
                go(Step::Field("inner".to_string()), ty);
                go(Step::Field("n".to_string()), &crate::types::I32);
            }
            Content::Value(Ty::Named(n)) => {
                if let TypeDef::Struct { fields, .. } = &self.types.0[*n] {
                    fields.tys.iter().enumerate().for_each(|(n, ty)| go(Step::Field(fields.name(n)), ty));
                }
            }
            Content::Value(_) => {}
        }
    }

    /// The node of a place.
    pub fn place(&mut self, found: &Found) -> Node {
        // Fields and elements are reached through references with or without a star.
        let inner = found.path.strip_prefix("(*").and_then(|path| path.strip_suffix(')'));
        let path = match inner {
            Some(path) if !found.steps.is_empty() && self.random.chance(60) => path.to_string(),
            _ => found.path.clone(),
        };
        let mut node = Node::new(Role::Fixed).using([found.root]).text(path.clone());
        let mut prefix = path;
        for step in &found.steps {
            match step {
                Step::Field(name) => {
                    node = node.text(format!(".{name}"));
                    prefix.push_str(&format!(".{name}"));
                }
                Step::Element(n) => {
                    // Below an element that is reached by a call, the whole is borrowed already.
                    if found.write {
                        self.lock(found.root, true);
                    }
                    node = node.text("[").node(self.index(*n)).text("]");
                    if found.write {
                        self.unlock(found.root, true);
                    }
                }
                Step::Dynamic => {
                    // Written, the whole is borrowed while the index is evaluated.
                    if found.write {
                        self.lock(found.root, true);
                    }
                    let index = self.subscript();
                    if found.write {
                        self.unlock(found.root, true);
                    }
                    node = match self.random.below(40) {
                        0..12 => node.text("[0]"),
                        12..39 if !found.write => {
                            node.text("[").node(index).text(format!(" % {prefix}.len()]"))
                        }
                        12..39 => node.text("[").node(index).text(" % 2]"),
                        _ => node.text("[").node(index).text("]"),
                    };
                }
            }
        }
        node
    }

    fn index(&mut self, n: usize) -> Node {
        let node = Node::new(Role::Value(USIZE));
        if self.random.chance(40) {
            return node.text(self.random.below(n).to_string());
        }
        let index = self.subscript();
        if self.random.chance(97) { node.node(index).text(format!(" % {n}")) } else { node.node(index) }
    }

    /// A number to index by; places in it may be indexed in turn, but not for ever.
    fn subscript(&mut self) -> Node {
        self.depth += 2;
        let node =
            if self.depth > 7 { self.number(&USIZE, true) } else { self.purely(|g| g.expr_known(&USIZE)) };
        self.depth -= 2;
        node
    }

    /// A place of this content, if there is one: its variable, and its node.
    pub fn some_place(&mut self, write: bool, content: &Content) -> Option<(Id, Node)> {
        let all = self.places(write, &|found| found == content);
        if all.is_empty() {
            return None;
        }
        let found = all[self.random.below(all.len())].clone();
        Some((found.root, self.place(&found)))
    }

    /// The value in a place of this type, if there is one.
    pub fn read(&mut self, ty: &Ty) -> Option<Node> {
        let (_, place) = self.some_place(false, &Content::Value(ty.clone()))?;
        Some(Node::new(Role::Value(ty.clone())).node(place))
    }

    /// A reference to something of this content for the time of an expression; the variable that it borrows stays locked.
    pub fn reference(&mut self, content: &Content, mutable: bool) -> (Option<Id>, Node) {
        let borrow = if mutable { "&mut " } else { "&" };
        let node = Node::new(Role::Fixed).text(borrow);
        let wanted = |found: &Content| match (found, content) {
            (Content::Vec(ty), Content::Slice(wanted)) => ty == wanted,
            (Content::Value(Ty::Array(ty, _)), Content::Slice(wanted)) => **ty == *wanted,
            _ => found == content,
        };
        let mut all = self.places(mutable, &wanted);
        // A path with an index borrows the whole while the index is evaluated, which is a read of the same.
        all.retain(|found| found.steps.iter().all(|step| !matches!(step, Step::Dynamic)));
        if !all.is_empty() && self.random.chance(85) {
            let found = all[self.random.below(all.len())].clone();
            let place = self.place(&found);
            self.lock(found.root, mutable);
            let node = node.node(place);
            let node = match (content, &found.content) {
                (Content::Slice(_), Content::Vec(_)) if self.random.chance(30) => node.text("[..]"),
                (Content::Slice(_), _) if self.random.chance(15) => node.text("[1..]"),
                _ => node,
            };
            return (Some(found.root), node);
        }
        match content {
            Content::Value(ty) => {
                let value = self.expr(ty);
                // Not the place that it may read.
                (None, node.text("{ ").node(value).text(" }"))
            }
            Content::Slice(ty) | Content::Vec(ty) => {
                let n = 1 + self.random.below(4);
                let all = (0..n).map(|_| self.expr(ty)).collect();
                let (open, close) =
                    if matches!(content, Content::Vec(_)) { ("vec![", "]") } else { ("[", "]") };
                (None, node.text(open).joined(all, ", ").text(close))
            }
        }
    }
}
